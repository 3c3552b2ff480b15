/**
 * The paths from data to noise, z_t and its velocity, which objectives are told and networks learn from them. Samplers need
 * not know: every path ends at the same noise. t = 0 is data, t = 1 is noise.
 */
import { add, clip, cos, div, mul, reshape, ShapeError, sin, sub, type Tensor } from '@meanflow/core';

/**
 * Per-row numbers in a shape that broadcasts over data of `[batch, ...features]`.
 *
 * @param t float32 `[batch]`, or a scalar, which is returned as it is
 * @param data whose rank the result gets: `[batch, 1, …, 1]`
 * @throws {ShapeError} when `t` is neither a scalar nor one number per row
 */
export function perRow(t: Tensor, data: Tensor): Tensor {
  if (t.rank === 0) return t;
  const [rows = 0, ...features] = data.shape;
  if (t.rank !== 1 || t.shape[0] !== rows) {
    throw new ShapeError(
      `Per-row numbers must be [${rows}] for data of [${data.shape.join(', ')}], got [${t.shape.join(', ')}].`,
    );
  }
  return reshape(t, [rows, ...features.map(() => 1)]);
}

/** The way of a sample from data (t = 0) to noise (t = 1). */
export interface Path {
  readonly name: string;
  /**
   * z_t, `[batch, ...features]`: x at t = 0, ε at t = 1.
   *
   * @param x data `[batch, ...features]`
   * @param noise ε, of the same shape
   * @param t float32 `[batch]`, or a scalar
   */
  point(x: Tensor, noise: Tensor, t: Tensor): Tensor;
  /** The velocity there, v = dz_t/dt, `[batch, ...features]`. */
  velocity(x: Tensor, noise: Tensor, t: Tensor): Tensor;
}

/**
 * z_t = (1 − t) x + t ε, whose velocity ε − x is the same at all times (rectified flow, Liu et al., 2023; the
 * optimal-transport path of Lipman et al., 2023).
 */
const linear: Path = {
  name: 'linear',
  point(x, noise, t) {
    const time = perRow(t, x);
    return add(mul(sub(1, time), x), mul(time, noise));
  },
  velocity: (x, noise) => sub(noise, x),
};

/**
 * z_t = cos(πt/2) x + sin(πt/2) ε, on which data and noise of variance 1 stay so (the trigonometric interpolant of Albergo
 * and Vanden-Eijnden, 2023; variance-preserving, after Nichol and Dhariwal, 2021).
 */
const cosine: Path = {
  name: 'cosine',
  point(x, noise, t) {
    const angle = mul(Math.PI / 2, perRow(t, x));
    return add(mul(cos(angle), x), mul(sin(angle), noise));
  },
  velocity(x, noise, t) {
    const angle = mul(Math.PI / 2, perRow(t, x));
    return mul(Math.PI / 2, sub(mul(cos(angle), noise), mul(sin(angle), x)));
  },
};

/** The paths by name. */
export const paths = { linear, cosine } as const;

export type PathName = keyof typeof paths;

/**
 * The velocity at z that data x stand for: (z − x) / t, with times below `smallestTime` taken for that. It is ε − x at
 * the points of the linear path from there on (pixel MeanFlow, arXiv 2601.22158, whose networks predict x).
 *
 * @param z `[batch, ...features]`
 * @param x of the same shape
 * @param t float32 `[batch]`, or a scalar
 */
export function velocityFromData(z: Tensor, x: Tensor, t: Tensor, smallestTime: number): Tensor {
  return div(sub(z, x), perRow(clip(t, smallestTime, 1), z));
}
