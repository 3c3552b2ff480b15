/** Root-mean-square normalisation with a learned scale (Zhang and Sennrich, 2019). */
import { rmsNorm, type Symbolic, type Tensor } from '@meanflow/core';
import { ones, ParameterSpec, type Described, type Parameter } from './parameters.js';

export type RmsNormParameters = {
  /** `[width]`, from 1 */
  readonly scale: Parameter;
};

/** A scale, `[width]`. */
export function rmsNormParameters(width: number): Described<RmsNormParameters> {
  return { scale: new ParameterSpec([width], ones) };
}

/** `[..., width] → [..., width]`, with 1e-6 added to the mean square. */
export function scaledRmsNorm({ scale }: Symbolic<RmsNormParameters>, x: Tensor): Tensor {
  return rmsNorm(x, { scale });
}
