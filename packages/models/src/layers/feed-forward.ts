/** The two-layer maps of transformer blocks, applied to each token: with GELU, and with a gate (SwiGLU; Shazeer, 2020). */
import { gelu, mul, silu, type Symbolic, type Tensor } from '@meanflow/core';
import { linear, linearParameters, type LinearInitialisation, type LinearParameters } from './linear.js';
import type { Described } from './parameters.js';

/** Two linear layers: `[width, hidden]` and `[hidden, width]`. */
export type GeluMlpParameters = { readonly hidden: LinearParameters; readonly out: LinearParameters };

/** Linear layers `width → hidden → width`. */
export function geluMlpParameters(
  width: number,
  hidden: number,
  initialisation: LinearInitialisation,
): Described<GeluMlpParameters> {
  return {
    hidden: linearParameters(width, hidden, initialisation),
    out: linearParameters(hidden, width, initialisation),
  };
}

/** W₂ gelu(W₁ x + b₁) + b₂ with the tanh approximation of GELU; `[..., width] → [..., width]`. */
export function geluMlp({ hidden, out }: Symbolic<GeluMlpParameters>, x: Tensor): Tensor {
  return linear(out, gelu(linear(hidden, x), { approximate: 'tanh' }));
}

/** Kernels `[width, hidden]` of gate and value, and `[hidden, width]` of the output. */
export type SwiGluParameters = {
  readonly gate: LinearParameters;
  readonly value: LinearParameters;
  readonly out: LinearParameters;
};

/** Linear layers `width → hidden` twice and `hidden → width`, without biases. */
export function swiGluParameters(
  width: number,
  hidden: number,
  initialisation: LinearInitialisation,
): Described<SwiGluParameters> {
  const layer = (inputs: number, outputs: number) =>
    linearParameters(inputs, outputs, initialisation, { bias: false });
  return { gate: layer(width, hidden), value: layer(width, hidden), out: layer(hidden, width) };
}

/** W₂ (silu(W₁ x) ⊙ W₃ x); `[..., width] → [..., width]`. */
export function swiGlu({ gate, value, out }: Symbolic<SwiGluParameters>, x: Tensor): Tensor {
  return linear(out, mul(silu(linear(gate, x)), linear(value, x)));
}
