/** Reductions over axes. */
import { apply, inContext } from '../apply.js';
import { checkOptions } from '../check-options.js';
import { DTypeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { isFloat, sizeOf } from '../types.js';
import { normalizeAxes, normalizeAxis } from './axes.js';
import { mul, neg, sub } from './elementwise.js';
import { reshape } from './shaping.js';

/** Options of the reductions. */
export interface ReduceOptions {
  /** Keep the reduced axes with size 1. */
  readonly keepDims?: boolean;
}

function reduce(
  op: 'reduceSum' | 'reduceMax',
  name: string,
  x: Tensor,
  axes: number | readonly number[] | undefined,
  options: ReduceOptions,
): Tensor {
  return inContext(name, [x], () => {
    checkOptions<ReduceOptions>(name, options, { keepDims: true });
    const { keepDims = false } = options;
    const normalized = normalizeAxes(axes, x.rank);
    const reduced = normalized.length === 0 ? x : apply(op, [x], { axes: normalized });
    return keepDims
      ? reshape(
          reduced,
          x.shape.map((n, axis) => (normalized.includes(axis) ? 1 : n)),
        )
      : reduced;
  });
}

/** Sum over `axes`, all of them by default; of no elements 0. */
export function sum(x: Tensor, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  return reduce('reduceSum', 'sum', x, axes, options);
}
/** Arithmetic mean over `axes`, all of them by default; float32. Of no elements it is NaN. */
export function mean(x: Tensor, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  return inContext('mean', [x], () => {
    if (!isFloat(x.dtype)) throw new DTypeError(`takes float32 or float16, got ${x.dtype}; cast first.`);
    const count = sizeOf(normalizeAxes(axes, x.rank).map((axis) => x.shape[axis]!));
    return mul(sum(x, axes, options), 1 / count);
  });
}
/**
 * Maximum over `axes`, all of them by default; NaN where an element is. Of no elements it is −∞, the least int32 for int32.
 * Ties share the derivative equally.
 */
export function max(x: Tensor, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  return reduce('reduceMax', 'max', x, axes, options);
}
/** Minimum over `axes`, all of them by default; as {@link max}, of no elements ∞, the greatest int32 for int32. */
export function min(x: Tensor, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  // Either turns the order around. The least int32 has no negative, but every one has its complement −1 − x.
  const opposite = (y: Tensor): Tensor => (x.dtype === 'int32' ? sub(-1, y) : neg(y));
  return inContext('min', [x], () => opposite(max(opposite(x), axes, options)));
}
/** Index of the first maximum along `axis`, int32; where there are NaNs, of the first NaN. */
export function argMax(x: Tensor, axis = -1): Tensor {
  return apply('argMax', [x], () => ({ axis: normalizeAxis(axis, x.rank) }));
}
