/** Activation functions by name. */
import { gelu, relu, silu, tanh, type Tensor } from '@meanflow/core';
import * as z from 'zod';

/** `gelu` is exact; `gelu-tanh` is the approximation that DiT uses. */
export const activationName = z.enum(['silu', 'gelu', 'gelu-tanh', 'tanh', 'relu']);
export type ActivationName = z.infer<typeof activationName>;

export const activations: Readonly<Record<ActivationName, (x: Tensor) => Tensor>> = {
  silu,
  gelu,
  'gelu-tanh': (x) => gelu(x, { approximate: 'tanh' }),
  tanh: (x) => tanh(x),
  relu,
};
