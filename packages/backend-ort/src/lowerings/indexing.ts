/** Rows of a table by index, and the transpose. ONNX Runtime refuses indices out of range when the graph runs. */
import { sizeOf } from '@meanflow/core';
import { fill } from './structure.js';
import type { Lowering } from './lowering.js';
import { reshapeTo } from './shaping.js';

export const gather: Lowering<'gather'> = ({ builder, inputs: [table, indices] }) =>
  builder.node('Gather', [table.name, indices.name], { attributes: { axis: 0n } });

/**
 * ScatterElements adds in the order of the indices, on one thread, so that equal inputs give equal bits. ScatterND
 * would take rows whole but spreads them over threads, which then meet in a row that is named twice.
 */
export const scatterAdd: Lowering<'scatterAdd'> = ({
  builder,
  inputs: [updates, indices],
  attributes: { rows },
}) => {
  const row = updates.shape.slice(indices.shape.length);
  const count = sizeOf(indices.shape);
  const width = sizeOf(row);
  const flat = reshapeTo(builder, updates.name, updates.shape, [count, width]);
  const column = reshapeTo(builder, indices.name, indices.shape, [count, 1]);
  const places = width === 1 ? column : builder.node('Expand', [column, builder.ints([count, width])]);
  const zeros = fill(builder, { dtype: 'float32', shape: [rows, width] }, 0);
  const sums = builder.node('ScatterElements', [zeros, places, flat], {
    attributes: { axis: 0n, reduction: 'add' },
  });
  return reshapeTo(builder, sums, [rows, width], [rows, ...row]);
};
