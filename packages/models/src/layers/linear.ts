/** The linear layer: y = x W + b with a kernel of shape `[inputs, outputs]`. */
import { add, matmul, type Symbolic, type Tensor } from '@meanflow/core';
import {
  normalWith,
  ParameterSpec,
  uniformWithin,
  zeros,
  type Described,
  type Parameter,
} from './parameters.js';

export type LinearParameters = {
  /** `[inputs, outputs]` */
  readonly kernel: Parameter;
  /** `[outputs]`; absent for a layer without. */
  readonly bias?: Parameter | undefined;
};

/**
 * How a linear layer starts. `pytorch`: kernel and bias uniform within 1/√inputs (the default of
 * torch.nn.Linear). `xavier`: kernel uniform within √(6 / (inputs + outputs)), bias zero (Glorot and Bengio,
 * 2010). `zero`: all zero. `normal`: kernel normal with that standard deviation, bias zero; `scaled-normal`: the same
 * with that number over √inputs.
 */
export type LinearInitialisation =
  'pytorch' | 'xavier' | 'zero' | { readonly kind: 'normal' | 'scaled-normal'; readonly deviation: number };

/**
 * A kernel `[inputs, outputs]` and a bias `[outputs]`.
 *
 * @param options.bias whether there is one; true by default
 */
export function linearParameters(
  inputs: number,
  outputs: number,
  initialisation: LinearInitialisation,
  { bias = true }: { readonly bias?: boolean } = {},
): Described<LinearParameters> {
  const initial = initialValues(initialisation, inputs, outputs);
  const kernel = new ParameterSpec([inputs, outputs], initial.kernel);
  return bias ? { kernel, bias: new ParameterSpec([outputs], initial.bias) } : { kernel };
}

/** What fills a kernel and its bias, for a layer of so many inputs and outputs. */
export function initialValues(
  initialisation: LinearInitialisation,
  inputs: number,
  outputs: number,
): Readonly<Record<'kernel' | 'bias', ParameterSpec['initial']>> {
  switch (initialisation) {
    case 'pytorch': {
      const within = uniformWithin(1 / Math.sqrt(inputs));
      return { kernel: within, bias: within };
    }
    case 'xavier':
      return { kernel: uniformWithin(Math.sqrt(6 / (inputs + outputs))), bias: zeros };
    case 'zero':
      return { kernel: zeros, bias: zeros };
  }
  const { kind, deviation } = initialisation;
  return { kernel: normalWith(kind === 'normal' ? deviation : deviation / Math.sqrt(inputs)), bias: zeros };
}

/** x W + b: float32 `[..., inputs] → [..., outputs]`. */
export function linear({ kernel, bias }: Symbolic<LinearParameters>, x: Tensor): Tensor {
  const product = matmul(x, kernel);
  return bias === undefined ? product : add(product, bias);
}
