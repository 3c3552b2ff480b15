/**
 * The transformer block of improved MeanFlow: attention with normalised, rotated queries and keys, and SwiGLU, each after
 * RMS normalisation, added through a learned gate per feature that starts at zero. Its linear layers have no biases.
 */
import { add, mul, type Symbolic, type Tensor } from '@meanflow/core';
import { multiHeadAttention } from './attention.js';
import { swiGlu, swiGluParameters, type SwiGluParameters } from './feed-forward.js';
import { linear, linearParameters, type LinearInitialisation, type LinearParameters } from './linear.js';
import { rmsNormParameters, scaledRmsNorm, type RmsNormParameters } from './norm.js';
import { ParameterSpec, zeros, type Described, type Parameter } from './parameters.js';
import type { RotaryTable } from './rotary.js';

export type GatedBlockParameters = {
  readonly attention: {
    readonly norm: RmsNormParameters;
    readonly query: LinearParameters;
    readonly key: LinearParameters;
    readonly value: LinearParameters;
    /** Of each head, `[width / heads]`. */
    readonly queryNorm: RmsNormParameters;
    readonly keyNorm: RmsNormParameters;
    readonly out: LinearParameters;
    /** `[width]`, from zero */
    readonly gate: Parameter;
  };
  readonly mlp: {
    readonly norm: RmsNormParameters;
    readonly swiGlu: SwiGluParameters;
    /** `[width]`, from zero */
    readonly gate: Parameter;
  };
};

/**
 * Projections `[width, width]`, a SwiGLU of `mlpWidth` hidden units, norms and gates. Kernels start normal with deviation 0.32/√inputs, the published constant.
 *
 * @param heads divide the width
 */
export function gatedBlockParameters(
  width: number,
  heads: number,
  mlpWidth: number,
): Described<GatedBlockParameters> {
  const initialisation: LinearInitialisation = { kind: 'scaled-normal', deviation: 0.32 };
  const projection = () => linearParameters(width, width, initialisation, { bias: false });
  const gate = new ParameterSpec([width], zeros);
  return {
    attention: {
      norm: rmsNormParameters(width),
      query: projection(),
      key: projection(),
      value: projection(),
      queryNorm: rmsNormParameters(width / heads),
      keyNorm: rmsNormParameters(width / heads),
      out: projection(),
      gate,
    },
    mlp: { norm: rmsNormParameters(width), swiGlu: swiGluParameters(width, mlpWidth, initialisation), gate },
  };
}

/** `[batch, tokens, width] → [batch, tokens, width]` */
export function gatedBlock(
  { attention, mlp }: Symbolic<GatedBlockParameters>,
  x: Tensor,
  { heads, rotary }: { readonly heads: number; readonly rotary: RotaryTable },
): Tensor {
  const input = scaledRmsNorm(attention.norm, x);
  const mixed = multiHeadAttention(
    linear(attention.query, input),
    linear(attention.key, input),
    linear(attention.value, input),
    { heads, rotary, norms: { query: attention.queryNorm.scale, key: attention.keyNorm.scale } },
  );
  const y = add(x, mul(linear(attention.out, mixed), attention.gate));
  return add(y, mul(swiGlu(mlp.swiGlu, scaledRmsNorm(mlp.norm, y)), mlp.gate));
}
