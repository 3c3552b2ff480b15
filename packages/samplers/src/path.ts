/**
 * The path from data to noise and its velocity: z_t = (1 − t) x + t ε and v = ε − x (rectified flow, Liu et
 * al., 2023; the optimal-transport path of Lipman et al., 2023). t = 0 is data, t = 1 is noise.
 */
import { add, clip, div, mul, reshape, ShapeError, sub, type Tensor } from '@meanflow/core';

/**
 * Per-row numbers in a shape that broadcasts over data of `[batch, ...features]`.
 *
 * @param t float32 `[batch]`, or a scalar, which is returned as it is
 * @param data whose rank the result gets: `[batch, 1, …, 1]`
 * @throws {ShapeError} when `t` is neither a scalar nor one number per row
 */
export function perRow(t: Tensor, data: Tensor): Tensor {
  if (t.rank === 0) return t;
  if (t.rank !== 1 || t.shape[0] !== data.shape[0]) {
    throw new ShapeError(
      `Per-row numbers must be [${data.shape[0]}] for data of [${data.shape.join(', ')}], got [${t.shape.join(', ')}].`,
    );
  }
  return reshape(t, [t.shape[0], ...data.shape.slice(1).map(() => 1)]);
}

/**
 * The point of the path at time t: z_t = (1 − t) x + t ε.
 *
 * @param x data `[batch, ...features]`
 * @param noise ε, of the same shape
 * @param t float32 `[batch]`, or a scalar
 */
export function interpolate(x: Tensor, noise: Tensor, t: Tensor): Tensor {
  const time = perRow(t, x);
  return add(mul(sub(1, time), x), mul(time, noise));
}

/** The velocity of the path, v = dz_t/dt = ε − x; the same at all times. `[batch, ...features]` */
export function conditionalVelocity(x: Tensor, noise: Tensor): Tensor {
  return sub(noise, x);
}

/**
 * The velocity at z that data x stand for: (z − x) / t, with times below `smallestTime` taken for that. It is ε − x at
 * the points of the path from there on (pixel MeanFlow, arXiv 2601.22158, whose networks predict x).
 *
 * @param z `[batch, ...features]`
 * @param x of the same shape
 * @param t float32 `[batch]`, or a scalar
 */
export function velocityFromData(z: Tensor, x: Tensor, t: Tensor, smallestTime: number): Tensor {
  return div(sub(z, x), perRow(clip(t, smallestTime, 1), z));
}
