/**
 * The residual block of latent diffusion's autoencoder (Rombach et al., 2022): twice group normalisation, SiLU and a
 * convolution, beside a skip connection that changes the number of channels where it must.
 */
import { add, silu, type Symbolic, type Tensor } from '@meanflow/core';
import { conv2d, conv2dParameters, type Conv2dParameters } from './conv2d.js';
import { groupNormParameters, scaledGroupNorm, type GroupNormParameters } from './group-norm.js';
import type { Described } from './parameters.js';

export type ResnetBlockParameters = {
  readonly norm1: GroupNormParameters;
  readonly conv1: Conv2dParameters;
  readonly norm2: GroupNormParameters;
  readonly conv2: Conv2dParameters;
  /** Where inputs and outputs differ in number. */
  readonly skip?: Conv2dParameters | undefined;
};

/** Two 3 × 3 convolutions `inputs → outputs → outputs` with their norms, and a 1 × 1 one where these differ. */
export function resnetBlockParameters(inputs: number, outputs: number): Described<ResnetBlockParameters> {
  return {
    norm1: groupNormParameters(inputs),
    conv1: conv2dParameters(inputs, outputs, 3, 'pytorch'),
    norm2: groupNormParameters(outputs),
    conv2: conv2dParameters(outputs, outputs, 3, 'pytorch'),
    ...(inputs === outputs ? {} : { skip: conv2dParameters(inputs, outputs, 1, 'pytorch') }),
  };
}

/** `[batch, inputs, height, width] → [batch, outputs, height, width]` */
export function resnetBlock(
  params: Symbolic<ResnetBlockParameters>,
  x: Tensor,
  { groups }: { readonly groups: number },
): Tensor {
  const hidden = conv2d(params.conv1, silu(scaledGroupNorm(params.norm1, x, { groups })));
  const result = conv2d(params.conv2, silu(scaledGroupNorm(params.norm2, hidden, { groups })));
  return add(params.skip === undefined ? x : conv2d(params.skip, x), result);
}
