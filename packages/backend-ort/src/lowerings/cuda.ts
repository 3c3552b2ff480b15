/**
 * Rows in which CUDA differs from other GPUs. ONNX Runtime's list of kernels (docs/OperatorKernels.md in its
 * repository) has no Pad of int32 and no Where of bools for its CUDA provider; its Pow is C's, and needs no correction.
 * Its Sigmoid is 1 − 1 / (1 + eˣ) below 0, which loses the tail.
 */
import { sizeOf, type Shape } from '@meanflow/core';
import { stridesOf } from '@meanflow/core/backend';
import { elementwise } from './elementwise.js';
import { gather } from './indexing.js';
import type { Lowering, Lowerings } from './lowering.js';
import { pad, type Padding } from './shaping.js';

/** For each element of the padded array its place among those of `x`; one past the last for a zero. */
function sources(shape: Shape, padded: Shape, { low, interior }: Padding): number[] {
  const zero = sizeOf(shape);
  const [strides, outer] = [stridesOf(shape), stridesOf(padded)];
  return Array.from({ length: sizeOf(padded) }, (_, i) => {
    let place = 0;
    for (const [axis, size] of shape.entries()) {
      const coordinate = (Math.floor(i / outer[axis]!) % padded[axis]!) - low[axis]!;
      const index = coordinate / (interior[axis]! + 1);
      if (!Number.isInteger(index) || index < 0 || index >= size) return zero;
      place += index * strides[axis]!;
    }
    return place;
  });
}

/** Rows of a table whose last is a zero. */
const padByIndex: Lowering<'pad'> = ({ builder, inputs: [x], attributes, output }) => {
  const flat = builder.node('Reshape', [x.name, builder.ints([-1])]);
  const table = builder.node('Concat', [flat, builder.constant(x.dtype, [1], [0])], {
    attributes: { axis: 0n },
  });
  const indices = builder.constant('int32', output.shape, sources(x.shape, output.shape, attributes));
  return builder.node('Gather', [table, indices], { attributes: { axis: 0n } });
};

export const cuda = {
  pow: elementwise.pow,
  sigmoid: elementwise.sigmoid,
  tanh: elementwise.tanh,
  erf: elementwise.erf,
  select: elementwise.select,
  gather: gather(elementwise.select),
  pad: (context) => (context.output.dtype === 'float32' ? pad : padByIndex)(context),
} satisfies Partial<Lowerings>;
