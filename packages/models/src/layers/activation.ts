/** Activation functions by name. */
import { checkChoice, gelu, relu, silu, tanh, type Tensor } from '@meanflow/core';

/** `gelu` is exact; `gelu-tanh` is the approximation that DiT uses. */
export type ActivationName = 'silu' | 'gelu' | 'gelu-tanh' | 'tanh' | 'relu';

export const activations: Readonly<Record<ActivationName, (x: Tensor) => Tensor>> = {
  silu,
  gelu,
  'gelu-tanh': (x) => gelu(x, { approximate: 'tanh' }),
  tanh: (x) => tanh(x),
  relu,
};

/** @throws {ArgumentError} when there is no such activation, naming those that there are */
export function checkActivation(what: string, activation: ActivationName): void {
  checkChoice(what, activation, Object.keys(activations));
}
