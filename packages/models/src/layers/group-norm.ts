/** Group normalisation with a learned scale and bias for each channel (Wu and He, 2018). */
import { groupNorm, type Symbolic, type Tensor } from '@meanflow/core';
import { ones, ParameterSpec, zeros, type Described, type Parameter } from './parameters.js';

export type GroupNormParameters = {
  /** `[channels]`, from 1 */
  readonly scale: Parameter;
  /** `[channels]`, from 0 */
  readonly bias: Parameter;
};

/** Scale and bias, `[channels]` each. */
export function groupNormParameters(channels: number): Described<GroupNormParameters> {
  return { scale: new ParameterSpec([channels], ones), bias: new ParameterSpec([channels], zeros) };
}

/**
 * `[batch, channels, ...space]`, normalised in groups of neighbouring channels.
 *
 * @param options.epsilon added to the variance; 1e-6 by default
 */
export function scaledGroupNorm(
  { scale, bias }: Symbolic<GroupNormParameters>,
  x: Tensor,
  options: { readonly groups: number; readonly epsilon?: number },
): Tensor {
  return groupNorm(x, { ...options, scale, bias });
}
