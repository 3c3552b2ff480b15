/**
 * Sources (constants, iota) and the two ops that mean nothing to the numbers but much to the transforms:
 * `stopGradient`, whose derivative is zero, and `optimizationBarrier`, which keeps a recomputation from being merged
 * with the original and holds it back until a second operand exists.
 */
import { ArgumentError } from '../errors.js';
import { sizeOf, stridesOf } from '../types.js';
import { checkShape } from './broadcasting.js';
import { allocate, free, type Meaning } from './definition.js';

export const constantOp: Meaning<'constant'> = {
  infer: (_, { dtype, value }) => ({ dtype, shape: value.shape }),
  evaluate: (_, { dtype, value }) => {
    const out = allocate(dtype, value.size);
    out.set(value.data);
    return out;
  },
  flops: free,
};

/** The coordinate along one axis, at every place of a shape. */
export const iotaOp: Meaning<'iota'> = {
  infer: (_, { dtype, shape, axis }) => {
    checkShape(shape);
    if (!(axis >= 0 && axis < shape.length))
      throw new ArgumentError(`axis ${axis} is out of range for rank ${shape.length}.`);
    return { dtype, shape };
  },
  evaluate: (_, { dtype, shape, axis }) => {
    const out = allocate(dtype, sizeOf(shape));
    const stride = stridesOf(shape)[axis]!;
    for (let i = 0; i < out.length; i++) out[i] = Math.floor(i / stride) % shape[axis]!;
    return out;
  },
  flops: free,
};

export const stopGradientOp: Meaning<'stopGradient'> = {
  infer: ([x]) => x,
  evaluate: ([x]) => x.data,
  flops: free,
};

/** `(x, after) → x`. */
export const optimizationBarrierOp: Meaning<'optimizationBarrier'> = {
  infer: ([x]) => x,
  evaluate: ([x]) => x.data,
  flops: free,
};
