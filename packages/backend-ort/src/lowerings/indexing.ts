/**
 * Rows of a table by index, and the transpose. ONNX counts negative indices from the end and refuses those beyond it; core
 * has no row for either. So what the runtime is given is always in range, and what it makes of the others is replaced.
 */
import { sizeOf } from '@meanflow/core';
import type { ValueName } from '../onnx/model.js';
import type { ModelBuilder } from '../onnx/model-builder.js';
import { castTo } from './elementwise.js';
import type { Lowering, LoweringContext } from './lowering.js';
import { reshapeTo } from './shaping.js';
import { fill } from './structure.js';

/** An index of each kind that is in range, and whether it is the given one. */
function inRange(
  builder: ModelBuilder,
  indices: ValueName,
  rows: number,
): { near: ValueName; isRow: ValueName } {
  const int = (value: number) => builder.scalar('int32', value);
  const near = builder.node('Max', [builder.node('Min', [indices, int(rows - 1)]), int(0)]);
  return { near, isRow: builder.node('Equal', [near, indices]) };
}

export const gather =
  (select: Lowering<'select'>): Lowering<'gather'> =>
  ({ builder, inputs: [table, indices], attributes: { fill: value }, output }) => {
    const { near, isRow } = inRange(builder, indices.name, table.shape[0]!);
    const rows = builder.node('Gather', [table.name, near], { attributes: { axis: 0n } });
    const shape = [...indices.shape, ...table.shape.slice(1).map(() => 1)];
    const condition = reshapeTo(builder, isRow, indices.shape, shape);
    const { dtype } = output;
    const operands: LoweringContext<'select'>['inputs'] = [
      { dtype: 'bool', shape, name: condition },
      { dtype, shape: output.shape, name: rows },
      { dtype, shape: [], name: builder.scalar(dtype, value), scalar: value },
    ];
    return select({ builder, inputs: operands, attributes: {}, output });
  };

/** Tables of up to this many rows are summed by a matrix product. */
const MAX_PRODUCT_ROWS = 256;

/**
 * Updates whose index is out of range meet no row of a product; before ScatterElements they become zeros for some row.
 *
 * Equal inputs must give equal bits. ScatterND takes rows whole but spreads them over threads, which meet in a row
 * that is named twice: 2 of 100 runs differed. ScatterElements adds in order on one thread, element by element: 8 ms
 * for 4096 rows of 256. A product with the one-hot indices, [rows, count] · [count, width], takes 0.3 ms for 10
 * rows; but 0 · NaN is NaN, so it is for finite updates only, which the sum of their magnitudes tells.
 */
export const scatterAdd: Lowering<'scatterAdd'> = ({
  builder,
  inputs: [updates, indices],
  attributes: { rows },
}) => {
  const row = updates.shape.slice(indices.shape.length);
  const size: Size = { rows, count: sizeOf(indices.shape), width: sizeOf(row) };
  const flat = reshapeTo(builder, updates.name, updates.shape, [size.count, size.width]);
  const column = reshapeTo(builder, indices.name, indices.shape, [size.count, 1]);
  const inOrder = () => addInOrder(builder, flat, column, size);
  const sums =
    rows <= MAX_PRODUCT_ROWS
      ? builder.branch(
          allFinite(builder, flat),
          { dtype: 'float32', shape: [rows, size.width] },
          () => addByProduct(builder, flat, column, size),
          inOrder,
        )
      : inOrder();
  return reshapeTo(builder, sums, [rows, size.width], [rows, ...row]);
};

interface Size {
  readonly rows: number;
  readonly count: number;
  readonly width: number;
}

/** A one-hot matrix of more elements than this is not made. */
const MAX_ONE_HOT = 2 ** 26;

/**
 * The sum as a product with the one-hot indices, whatever the updates: those that are not finite are taken out of it,
 * for 0 · NaN is NaN, and counted by kind, in the same product. In tables too large for that, ScatterElements adds,
 * which on a GPU happens in no fixed order: the last bits of sums of three and more updates then vary.
 */
export const scatterAddByProduct: Lowering<'scatterAdd'> = ({
  builder,
  inputs: [updates, indices],
  attributes: { rows },
}) => {
  const row = updates.shape.slice(indices.shape.length);
  const size: Size = { rows, count: sizeOf(indices.shape), width: sizeOf(row) };
  const flat = reshapeTo(builder, updates.name, updates.shape, [size.count, size.width]);
  const column = reshapeTo(builder, indices.name, indices.shape, [size.count, 1]);
  const sums =
    rows * size.count <= MAX_ONE_HOT
      ? addAnyByProduct(builder, flat, column, size)
      : addInOrder(builder, flat, column, size);
  return reshapeTo(builder, sums, [rows, size.width], [rows, ...row]);
};

function addAnyByProduct(
  builder: ModelBuilder,
  updates: ValueName,
  column: ValueName,
  size: Size,
): ValueName {
  const number = (value: number) => builder.scalar('float32', value);
  const isKind = [
    builder.node('Not', [builder.node('Equal', [updates, updates])]),
    builder.node('Equal', [updates, number(Infinity)]),
    builder.node('Equal', [updates, number(-Infinity)]),
  ];
  const finite = isKind.reduce((rest, kind) => builder.node('Where', [kind, number(0), rest]), updates);
  const counted = isKind.map((kind) => castTo(builder, kind, 'float32'));
  const columns = builder.node('Concat', [finite, ...counted], { attributes: { axis: 1n } });
  const sums = addByProduct(builder, columns, column, size);
  const part = (index: number) => {
    const range = [[index * size.width], [(index + 1) * size.width], [1]].map((list) => builder.ints(list));
    return builder.node('Slice', [sums, ...range]);
  };
  // What the counted updates sum to: each kind's own value, and NaN where both infinities meet.
  const values = [NaN, Infinity, -Infinity].map((value, i) => {
    const isThere = builder.node('Less', [number(0), part(i + 1)]);
    return builder.node('Where', [isThere, number(value), number(0)]);
  });
  return values.reduce((sum, value) => builder.node('Add', [sum, value]), part(0));
}

function allFinite(builder: ModelBuilder, x: ValueName): ValueName {
  const magnitude = builder.node('ReduceL1', [x], { attributes: { keepdims: 0n } });
  return builder.node('Less', [magnitude, builder.scalar('float32', Infinity)]);
}

function addByProduct(
  builder: ModelBuilder,
  updates: ValueName,
  column: ValueName,
  { rows }: Size,
): ValueName {
  const numbers = Array.from({ length: rows }, (_, i) => i);
  const hits = builder.node('Equal', [column, builder.constant('int32', [1, rows], numbers)]);
  return builder.node('Gemm', [castTo(builder, hits, 'float32'), updates], { attributes: { transA: 1n } });
}

function addInOrder(
  builder: ModelBuilder,
  updates: ValueName,
  column: ValueName,
  { rows, count, width }: Size,
): ValueName {
  const { near, isRow } = inRange(builder, column, rows);
  const places = width === 1 ? near : builder.node('Expand', [near, builder.ints([count, width])]);
  const zeros = fill(builder, { dtype: 'float32', shape: [rows, width] }, 0);
  const kept = builder.node('Where', [isRow, updates, builder.scalar('float32', 0)]);
  return builder.node('ScatterElements', [zeros, places, kept], {
    attributes: { axis: 0n, reduction: 'add' },
  });
}
