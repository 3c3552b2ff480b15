/**
 * Two-dimensional convolution (as networks have it: cross-correlation) on `[batch, channels, height, width]`, with kernels
 * as PyTorch lays them out.
 */
import { add, ArgumentError, conv, reshape, type Symbolic, type Tensor } from '@meanflow/core';
import { ParameterSpec, uniformWithin, zeros, type Described, type Parameter } from './parameters.js';

export type Conv2dParameters = {
  /** `[outputs, inputs, height, width]` */
  readonly kernel: Parameter;
  /** `[outputs]` */
  readonly bias: Parameter;
};

/**
 * How a convolution starts. `pytorch`: kernel and bias uniform within 1/√(inputs of one output), the default of
 * torch.nn.Conv2d. `xavier`: kernel uniform within gain · √(6 / (inputs + outputs)), each times the places of the window
 * (Glorot and Bengio, 2010), and bias zero. `zero`: all zero.
 */
export type Conv2dInitialisation = 'pytorch' | 'zero' | { readonly kind: 'xavier'; readonly gain: number };

/**
 * A kernel `[outputs, inputs, window, window]` and a bias `[outputs]`.
 *
 * @param window side of the square window
 */
export function conv2dParameters(
  inputs: number,
  outputs: number,
  window: number,
  initialisation: Conv2dInitialisation,
): Described<Conv2dParameters> {
  const places = window * window;
  const shape = [outputs, inputs, window, window];
  if (initialisation === 'pytorch') {
    const within = uniformWithin(1 / Math.sqrt(inputs * places));
    return { kernel: new ParameterSpec(shape, within), bias: new ParameterSpec([outputs], within) };
  }
  if (initialisation === 'zero') {
    return { kernel: new ParameterSpec(shape, zeros), bias: new ParameterSpec([outputs], zeros) };
  }
  const within = uniformWithin(initialisation.gain * Math.sqrt(6 / ((inputs + outputs) * places)));
  return { kernel: new ParameterSpec(shape, within), bias: new ParameterSpec([outputs], zeros) };
}

/** Steps and zeros around the image. */
export interface Conv2dOptions {
  /** 1 by default. */
  readonly stride?: number;
  /** Rows and columns of zeros `[before, after]`; by default what keeps the size at stride 1. */
  readonly padding?: readonly [before: number, after: number];
}

/**
 * `[batch, inputs, height, width] → [batch, outputs, …]`
 *
 * @throws {ArgumentError} for an even window without padding: nothing keeps its size
 */
export function conv2d(
  { kernel, bias }: Symbolic<Conv2dParameters>,
  x: Tensor,
  { stride = 1, padding = sameSize(kernel.shape[2]!) }: Conv2dOptions = {},
): Tensor {
  const result = conv(x, kernel, { strides: [stride, stride], padding: [padding, padding] });
  return add(result, reshape(bias, [bias.shape[0]!, 1, 1]));
}

function sameSize(window: number): readonly [number, number] {
  if (window % 2 === 0) throw new ArgumentError(`A window of ${window} needs padding to be given.`);
  return [(window - 1) / 2, (window - 1) / 2];
}
