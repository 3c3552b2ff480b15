/**
 * Slices: which values are parts of others and need not be copied out of them by who reads with strides. Slices alone, and
 * reshapes of them: a transposition could be read so too, but not as fast as it lies.
 */
import { reshapedStrides, stridesOf, type ValueId, type View, type Program } from '@meanflow/core/backend';

/** Where the elements of slices lie; a value of which none is known is its own memory. */
export function slicesOf({ instructions, types }: Program): ReadonlyMap<ValueId, View> {
  const slices = new Map<ValueId, View>();
  for (const instruction of instructions) {
    if (instruction.op !== 'slice' && instruction.op !== 'reshape') continue;
    const [input] = instruction.inputs;
    const [output] = instruction.outputs as readonly [ValueId];
    const from = slices.get(input);
    if (instruction.op === 'slice') {
      const { shape } = types[input]!;
      const { value, offset, strides } = from ?? { value: input, offset: 0, strides: stridesOf(shape) };
      const { starts, strides: steps } = instruction.attributes;
      slices.set(output, {
        value,
        offset: starts.reduce((sum, start, axis) => sum + start * strides[axis]!, offset),
        shape: types[output]!.shape,
        strides: strides.map((stride, axis) => stride * steps[axis]!),
      });
    } else if (from !== undefined) {
      const { shape } = types[output]!;
      const strides = reshapedStrides(from, shape);
      if (strides !== undefined) slices.set(output, { ...from, shape, strides });
    }
  }
  return slices;
}

/** Whether neighbours along the last axis lie side by side, as kernels read them. */
export const hasRuns = ({ shape, strides }: View): boolean => {
  const last = shape.findLastIndex((size) => size !== 1);
  return last < 0 || strides[last] === 1;
};
