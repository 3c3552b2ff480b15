/** Ops of random programs that combine many elements: reductions, contractions, convolutions, and core's composites. */
import * as mf from '@meanflow/core';
import { interpret } from '@meanflow/core/backend';
import { sizeOf, type CompositeDefinition, type Shape, type Tensor } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { call, programOp, type ProgramOp } from './op.js';
import { magnitude, MAX_ELEMENTS, type Draft, type Pool, type PoolValue } from './pool.js';

const TIMES_FEW = 1e3;

/** Elements of a value in rows along axes: for each result, what it combines. */
function rows({ shape, data }: PoolValue, axes: readonly number[]): number[][] {
  const host = new mf.HostArray('float64', shape, Float64Array.from(data));
  const kept = [...shape.keys()].filter((axis) => !axes.includes(axis));
  const { graph } = mf.trace((x: Tensor) => mf.transpose(x, [...kept, ...axes]), mf.spec(shape));
  const ordered = Array.from(interpret(graph, { input: host }).output!.data);
  const width = sizeOf(axes.map((axis) => shape[axis]!));
  const count = sizeOf(kept.map((axis) => shape[axis]!));
  return Array.from({ length: count }, (_, i) => ordered.slice(i * width, (i + 1) * width));
}

/** By how much the greatest of each row exceeds the second. */
function leads(found: readonly (readonly number[])[], sign = 1): number[] {
  return found.flatMap((row) => {
    if (row.length < 2) return [];
    const [first, second] = leading(
      row.map((x) => sign * x).sort((a, b) => b - a),
      2,
    );
    return [first - second];
  });
}

function reduction(pool: Pool): Draft | undefined {
  const { dice } = pool;
  const op = dice.of(['sum', 'sum', 'mean', 'max', 'min'] as const);
  const isExtreme = op === 'max' || op === 'min';
  const x = pool.pick(
    ({ dtype, shape, data }) =>
      (dtype === 'float32' || (dtype === 'int32' && op !== 'mean')) &&
      magnitude(data) < TIMES_FEW &&
      (!isExtreme || sizeOf(shape) > 0),
  );
  if (x === undefined) return undefined;
  const chosen = dice.some([...x.shape.keys()]);
  const axes = chosen.length > 0 ? chosen : [...x.shape.keys()].slice(0, 1);
  if (isExtreme && x.dtype === 'float32') {
    if (!pool.isSmoothAt(leads(rows(x, axes), op === 'max' ? 1 : -1), magnitude(x.data))) return undefined;
  }
  const options = dice.oneIn(2) ? { keepDims: true } : {};
  return call(op, [x], (t) => mf[op](t, axes, options), { rest: [axes, options], rounds: !isExtreme });
}

function argMax(pool: Pool): Draft | undefined {
  const x = pool.pick(({ dtype, shape }) => dtype !== 'bool' && shape.length >= 1 && sizeOf(shape) > 0);
  if (x === undefined) return undefined;
  const axis = pool.dice.below(x.shape.length);
  const exact = x.exact || x.dtype === 'int32';
  if (!pool.decides(leads(rows(x, [axis])), exact, magnitude(x.data))) return undefined;
  return call('argMax', [x], (t) => mf.argMax(t, axis), { rest: [axis] });
}

const isSmall = ({ data }: PoolValue): boolean => magnitude(data) < 60;

/** Axes of two operands paired at random where their sizes agree, as batch or contracting. */
function dotGeneral(pool: Pool): Draft | undefined {
  const { dice } = pool;
  const fits = (value: PoolValue) => value.shape.length >= 1 && value.shape.length <= 4 && isSmall(value);
  const [x, y] = [pool.float(fits), pool.float(fits)];
  if (x === undefined || y === undefined) return undefined;
  const dimensions = { lhsBatch: [] as number[], rhsBatch: [] as number[], lhsContracting: [] as number[], rhsContracting: [] as number[] }; // prettier-ignore
  const free = dice.shuffled([...y.shape.keys()]);
  for (const axis of dice.shuffled([...x.shape.keys()])) {
    const partner = free.findIndex((other) => y.shape[other] === x.shape[axis]);
    const role = dice.of(['Batch', 'Contracting', 'Contracting', undefined] as const);
    if (partner < 0 || role === undefined) continue;
    dimensions[`lhs${role}`].push(axis);
    dimensions[`rhs${role}`].push(...free.splice(partner, 1));
  }
  const left = sizeOf(x.shape.filter((_, axis) => !dimensions.lhsContracting.includes(axis)));
  if (left * sizeOf(free.map((axis) => y.shape[axis]!)) > MAX_ELEMENTS) return undefined;
  return call('dotGeneral', [x, y], (a, b) => mf.dotGeneral(a, b, dimensions), {
    rest: [dimensions],
    rounds: true,
  });
}

function matmul(pool: Pool): Draft | undefined {
  const x = pool.float((value) => value.shape.length === 2 && isSmall(value));
  const y =
    x && pool.float((value) => value.shape.length === 2 && value.shape[0] === x.shape[1] && isSmall(value));
  return y && call('matmul', [x, y], mf.matmul, { rounds: true });
}

function conv(pool: Pool): Draft | undefined {
  const { dice } = pool;
  const x = pool.float((value) => sizeOf(value.shape) >= 2 && sizeOf(value.shape) <= 64 && isSmall(value));
  const kernel =
    x && pool.float((value) => sizeOf(value.shape) >= 1 && sizeOf(value.shape) <= 12 && isSmall(value));
  if (kernel === undefined) return undefined;
  const [n, m] = [sizeOf(x!.shape), sizeOf(kernel.shape)];
  const channels = n % 2 === 0 && m % 2 === 0 && dice.oneIn(2) ? 2 : 1;
  const groups = channels === 2 && dice.oneIn(2) ? 2 : 1;
  const features = groups === 2 ? 2 : 1;
  const perFeature = m / features / (channels / groups);
  if (!Number.isInteger(perFeature)) return undefined;
  const space = factor(n / channels, dice.between(1, 4));
  const size = factor(perFeature, dice.between(1, 3));
  const window = {
    strides: [dice.between(1, 2), dice.between(1, 2)],
    padding: [[dice.between(0, 2), dice.between(-1, 2)], [dice.between(0, 1), dice.between(0, 2)]] as [number, number][],
    lhsDilation: [dice.between(1, 2), 1],
    rhsDilation: [1, dice.between(1, 2)],
    groups,
  }; // prettier-ignore
  const [ofX, ofKernel] = [[1, channels, ...space], [features, channels / groups, ...size]]; // prettier-ignore
  const length = (axis: number) => {
    const [low, high] = window.padding[axis]!;
    return (
      (space[axis]! - 1) * window.lhsDilation[axis]! +
      1 +
      low +
      high -
      (size[axis]! - 1) * window.rhsDilation[axis]!
    );
  };
  if (length(0) < 1 || length(1) < 1) return undefined;
  return {
    ...call('conv', [x!, kernel], (a, b) => mf.conv(mf.reshape(a, ofX), mf.reshape(b, ofKernel), window), { rounds: true }),
    write: ([a, b]) => `conv(reshape(${a}, [${ofX.join(', ')}]), reshape(${b}, [${ofKernel.join(', ')}]), ${JSON.stringify(window)})`,
  }; // prettier-ignore
}

/** n as a product of two, the first near `about`. */
function factor(n: number, about: number): [number, number] {
  for (let first = Math.min(about, n); first > 1; first--) if (n % first === 0) return [first, n / first];
  return [1, n];
}

/** A composite of a user's own, with the name of one of core's. */
const halved: CompositeDefinition = {
  name: 'silu',
  decompose: ([x]) => [mf.mul(x!, mf.sigmoid(mf.mul(0.5, x!)))],
};

const unaryComposites: readonly (readonly [string, (x: Tensor) => Tensor])[] = [
  ['silu', mf.silu],
  ['gelu', (x) => mf.gelu(x)],
  ['softplus', mf.softplus],
  ['ownSilu', (x) => mf.callComposite(halved, [x], {})[0]!],
  ['checkpoint(mulTanh)', mf.checkpoint((x: Tensor) => mf.mul(x, mf.tanh(x)))],
];
const rowwiseComposites: readonly (readonly [string, (x: Tensor) => Tensor, readonly unknown[]])[] = [
  ['softmax', mf.softmax, []],
  ['layerNorm', (x) => mf.layerNorm(x, { epsilon: 0.1 }), [{ epsilon: 0.1 }]],
  ['rmsNorm', (x) => mf.rmsNorm(x, { epsilon: 0.1 }), [{ epsilon: 0.1 }]],
];

function composite(pool: Pool): Draft | undefined {
  if (pool.dice.oneIn(2)) {
    const x = pool.float((value) => magnitude(value.data) < 8);
    const [op, f] = pool.dice.of(unaryComposites);
    if (op === 'softplus' && x && !pool.isSmoothAt(Array.from(x.data))) return undefined;
    return x && call(op, [x], f, { rounds: true });
  }
  const x = pool.float(({ shape, data }) => shape.length >= 1 && sizeOf(shape) > 0 && magnitude(data) < 8);
  if (x === undefined) return undefined;
  const [op, f, rest] = pool.dice.of(rowwiseComposites);
  // The maximum that softmax subtracts changes nothing but the range.
  return call(op, [x], f, { rest, rounds: true });
}

function attention(pool: Pool): Draft | undefined {
  const fits = (shape: Shape) => (value: PoolValue) => value.shape.length === 2 && value.shape[1] === shape[1] && magnitude(value.data) < 4; // prettier-ignore
  const q = pool.float(({ shape, data }) => shape.length === 2 && sizeOf(shape) > 0 && magnitude(data) < 4);
  const k = q && pool.float((value) => fits(q.shape)(value) && sizeOf(value.shape) > 0);
  if (k === undefined) return undefined;
  const four = (x: Tensor) => mf.reshape(x, [1, 1, ...x.shape]);
  return {
    ...call('attention', [q!, k], (a, b) => mf.attention(four(a), four(b), four(b), { scale: 0.5 }), {
      rounds: true,
    }),
    write: ([a, b]) =>
      `attention(${[a, b, b].map((name) => `reshape(${name}, [1, 1, …])`).join(', ')}, {"scale":0.5})`,
  };
}

/** A derivative within the program. */
function tangent(pool: Pool): Draft | undefined {
  const x = pool.float((value) => magnitude(value.data) < 30);
  const dx = x && pool.float(({ shape }) => mf.sameShape(shape, x.shape));
  if (dx === undefined) return undefined;
  const f = (t: Tensor): Tensor => mf.mul(t, mf.sin(t));
  return {
    ...call('jvp', [x!, dx], () => mf.constant(0), { rounds: true }),
    apply: ([a, b]) => mf.jvp((t: Tensor) => f(t), [a!], [b!]),
    write: ([a, b]) => `jvp((t) => mul(t, sin(t)), [${a}], [${b}])`,
  };
}

export const combinationOps: readonly ProgramOp[] = [
  programOp('reduction', 7, reduction),
  programOp('argMax', 2, argMax, { decides: true }),
  programOp('dotGeneral', 3, dotGeneral),
  programOp('matmul', 2, matmul),
  programOp('conv', 3, conv),
  programOp('composite', 4, composite),
  programOp('attention', 1, attention),
  programOp('tangent', 2, tangent),
];
