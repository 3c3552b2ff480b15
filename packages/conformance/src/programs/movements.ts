/** Ops of random programs that move elements: reshapes, transposes, slices, padding, joins, rows by index. */
import * as mf from '@meanflow/core';
import { sizeOf, type Shape, type Tensor } from '@meanflow/core';
import type { Dice } from './dice.js';
import { call, programOp, type ProgramOp } from './op.js';
import { MAX_ELEMENTS, MAX_RANK, type Draft, type Pool, type PoolValue } from './pool.js';

/** Factors of n, as a shape. */
function factorised(n: number, dice: Dice): number[] {
  if (n === 0) return [dice.of([0, 2]), 0];
  const rank = dice.between(1, 4);
  const shape = new Array<number>(rank).fill(1);
  for (let left = n, prime = 2; left > 1; prime++) {
    for (; left % prime === 0; left /= prime) shape[dice.below(rank)]! *= prime;
  }
  return shape.filter((size) => size > 1 || dice.oneIn(2));
}

function reshape(pool: Pool): Draft | undefined {
  const x = pool.pick(() => true);
  if (x === undefined) return undefined;
  const { dice } = pool;
  const axis = dice.below(x.shape.length + 1);
  const shape = dice.oneIn(4)
    ? [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)]
    : dice.oneIn(3)
      ? [sizeOf(x.shape)]
      : factorised(sizeOf(x.shape), dice);
  return call('reshape', [x], (t) => mf.reshape(t, shape), { rest: [shape] });
}

function transpose(pool: Pool): Draft | undefined {
  const x = pool.pick(({ shape }) => shape.length >= 2);
  if (x === undefined) return undefined;
  const order = pool.dice.shuffled([...x.shape.keys()]);
  return call('transpose', [x], (t) => mf.transpose(t, order), { rest: [order] });
}

function reverse(pool: Pool): Draft | undefined {
  const x = pool.pick(({ shape }) => shape.length >= 1);
  if (x === undefined) return undefined;
  const some = pool.dice.some([...x.shape.keys()]);
  const axes = some.length > 0 ? some : [pool.dice.below(x.shape.length)];
  return call('reverse', [x], (t) => mf.reverse(t, axes), { rest: [axes] });
}

function slice(pool: Pool): Draft | undefined {
  const x = pool.pick(({ shape }) => shape.length >= 1 && sizeOf(shape) > 1);
  if (x === undefined) return undefined;
  const { dice } = pool;
  const starts = x.shape.map((n) => (dice.oneIn(2) ? 0 : dice.below(n)));
  const limits = x.shape.map((n, axis) =>
    dice.oneIn(2) ? n : dice.between(starts[axis]! + Math.min(1, n), n),
  );
  const strides = x.shape.map(() => dice.of([1, 1, 2, 3]));
  return call('slice', [x], (t) => mf.slice(t, starts, limits, strides), { rest: [starts, limits, strides] });
}

function pad(pool: Pool): Draft | undefined {
  const x = pool.pick(({ shape }) => shape.length >= 1 && sizeOf(shape) <= 24 && shape.length <= 3);
  if (x === undefined) return undefined;
  const few = () => x.shape.map(() => pool.dice.of([0, 0, 1, 2]));
  const padding = { low: few(), high: few(), interior: few() };
  return call('pad', [x], (t) => mf.pad(t, padding), { rest: [padding] });
}

function broadcastTo(pool: Pool): Draft | undefined {
  const x = pool.pick(({ shape }) => sizeOf(shape) * 3 <= MAX_ELEMENTS && shape.length < MAX_RANK);
  if (x === undefined) return undefined;
  const { dice } = pool;
  const shape = [
    ...(dice.oneIn(2) ? [dice.between(1, 3)] : []),
    ...x.shape.map((n) => (n === 1 ? dice.between(1, 4) : n)),
  ];
  return call('broadcastTo', [x], (t) => mf.broadcastTo(t, shape), { rest: [shape] });
}

function concat(pool: Pool): Draft | undefined {
  const x = pool.pick(({ shape }) => shape.length >= 1 && 2 * sizeOf(shape) <= MAX_ELEMENTS);
  if (x === undefined) return undefined;
  const { dice } = pool;
  const axis = dice.below(x.shape.length);
  const joins = ({ dtype, shape }: PoolValue) =>
    dtype === x.dtype &&
    shape.length === x.shape.length &&
    shape.every((n, a) => a === axis || n === x.shape[a]);
  const parts = [x, ...Array.from({ length: dice.between(1, 3) }, () => pool.pick(joins)!)];
  return {
    ...call('concat', dice.shuffled(parts), (...tensors) => mf.concat(tensors, axis)),
    write: (names) => `concat([${names.join(', ')}], ${axis})`,
  };
}

/** Whole numbers in a shape of their own, written out. */
function someIndices(dice: Dice, length: number, below: number): number[] {
  return Array.from({ length }, () => dice.below(below));
}

function gather(pool: Pool): Draft | undefined {
  const table = pool.pick(({ shape }) => shape.length >= 1 && shape[0]! > 0);
  if (table === undefined) return undefined;
  const rows = table.shape[0]!;
  const computed = pool.pick(({ dtype, shape }) => dtype === 'int32' && shape.length <= 2);
  if (computed !== undefined && pool.dice.oneIn(2)) {
    return {
      ...call('gather', [table, computed], (t, i) => mf.gather(t, mf.clip(i, 0, rows - 1))),
      write: ([t, i]) => `gather(${t}, clip(${i}, 0, ${rows - 1}))`,
    };
  }
  const indices = someIndices(pool.dice, pool.dice.between(1, 5), rows);
  return {
    ...call('gather', [table], (t) => mf.gather(t, mf.constant(indices, 'int32'))),
    write: ([t]) => `gather(${t}, constant([${indices.join(', ')}], 'int32'))`,
  };
}

function scatterAdd(pool: Pool): Draft | undefined {
  const updates = pool.float(({ shape }) => shape.length >= 1);
  if (updates === undefined) return undefined;
  const rows = pool.dice.between(1, 6);
  const first = updates.shape[0]!;
  const computed = pool.pick(
    ({ dtype, shape }) => dtype === 'int32' && shape.length === 1 && shape[0] === first,
  );
  if (computed !== undefined && pool.dice.oneIn(2)) {
    return {
      ...call('scatterAdd', [updates, computed], (u, i) => mf.scatterAdd(u, mf.clip(i, 0, rows - 1), rows), {
        rounds: true,
      }),
      write: ([u, i]) => `scatterAdd(${u}, clip(${i}, 0, ${rows - 1}), ${rows})`,
    };
  }
  const indices = someIndices(pool.dice, first, rows);
  const of = (shape: Shape): Tensor => mf.reshape(mf.constant(indices, 'int32'), shape);
  return {
    ...call('scatterAdd', [updates], (u) => mf.scatterAdd(u, of([first]), rows), { rounds: true }),
    write: ([u]) => `scatterAdd(${u}, constant([${indices.join(', ')}], 'int32'), ${rows})`,
  };
}

function oneHot(pool: Pool): Draft | undefined {
  const x = pool.pick(
    ({ dtype, shape }) => dtype === 'int32' && sizeOf(shape) <= 40 && shape.length < MAX_RANK,
  );
  const depth = pool.dice.between(1, 4);
  return x && call('oneHot', [x], (t) => mf.oneHot(t, depth), { rest: [depth] });
}

function source(pool: Pool): Draft | undefined {
  const { dice } = pool;
  const like = pool.pick(({ shape }) => shape.length >= 1);
  if (like === undefined) return undefined;
  const { shape } = like;
  if (dice.oneIn(3)) return call('full', [], () => mf.full(shape, 0.75), { rest: [shape, 0.75] });
  const axis = dice.below(shape.length);
  const dtype = dice.of(['float32', 'int32'] as const);
  return call('iota', [], () => mf.iota(shape, axis, dtype), { rest: [shape, axis, `'${dtype}'`] });
}

export const movementOps: readonly ProgramOp[] = [
  programOp('reshape', 7, reshape),
  programOp('transpose', 6, transpose),
  programOp('reverse', 5, reverse),
  programOp('slice', 4, slice),
  programOp('pad', 3, pad),
  programOp('broadcastTo', 3, broadcastTo),
  programOp('concat', 3, concat),
  programOp('gather', 3, gather),
  programOp('scatterAdd', 2, scatterAdd),
  programOp('oneHot', 1, oneHot),
  programOp('source', 1, source),
];
