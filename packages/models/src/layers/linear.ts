/** The linear layer: y = x W + b with a kernel of shape `[inputs, outputs]`. */
import { add, matmul, type Symbolic, type Tensor } from '@meanflow/core';
import { ParameterSpec, uniformWithin, zeros, type Described, type Parameter } from './parameters.js';

export type LinearParameters = {
  /** `[inputs, outputs]` */
  readonly kernel: Parameter;
  /** `[outputs]` */
  readonly bias: Parameter;
};

/**
 * How a linear layer starts. `pytorch`: kernel and bias uniform within 1/√inputs (the default of
 * torch.nn.Linear). `xavier`: kernel uniform within √(6 / (inputs + outputs)), bias zero (Glorot and Bengio,
 * 2010). `zero`: all zero.
 */
export type LinearInitialisation = 'pytorch' | 'xavier' | 'zero';

export function linearParameters(
  inputs: number,
  outputs: number,
  initialisation: LinearInitialisation,
): Described<LinearParameters> {
  const within = uniformWithin(1 / Math.sqrt(inputs));
  const glorot = uniformWithin(Math.sqrt(6 / (inputs + outputs)));
  const [kernel, bias] = { pytorch: [within, within], xavier: [glorot, zeros], zero: [zeros, zeros] }[
    initialisation
  ];
  return { kernel: new ParameterSpec([inputs, outputs], kernel), bias: new ParameterSpec([outputs], bias) };
}

/** `[..., inputs] → [..., outputs]` */
export function linear({ kernel, bias }: Symbolic<LinearParameters>, x: Tensor): Tensor {
  return add(matmul(x, kernel), bias);
}
