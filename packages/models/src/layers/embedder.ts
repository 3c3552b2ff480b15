/** The two-layer map from features (of a time, of all conditions) to a vector, as in the timestep embedder of DiT. */
import type { Symbolic, Tensor } from '@meanflow/core';
import { linear, linearParameters, type LinearInitialisation, type LinearParameters } from './linear.js';
import type { Described } from './parameters.js';

/** Two linear layers: `[inputs, width]` and `[width, width]`. */
export type EmbedderParameters = { readonly hidden: LinearParameters; readonly out: LinearParameters };

/** Linear layers `inputs → width → width`. */
export function embedderParameters(
  inputs: number,
  width: number,
  initialisation: LinearInitialisation,
): Described<EmbedderParameters> {
  return {
    hidden: linearParameters(inputs, width, initialisation),
    out: linearParameters(width, width, initialisation),
  };
}

/** Out · activation(hidden · features): float32 `[batch, inputs] → [batch, width]`. */
export function embedFeatures(
  { hidden, out }: Symbolic<EmbedderParameters>,
  features: Tensor,
  activation: (x: Tensor) => Tensor,
): Tensor {
  return linear(out, activation(linear(hidden, features)));
}
