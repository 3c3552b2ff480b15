/**
 * The residual multilayer perceptron: blocks x ← x + f(norm(x), c) with the conditions c entering every
 * block. For data of tens or hundreds of dimensions, such as small images taken as vectors.
 */
import {
  add,
  layerNorm,
  mul,
  reshape,
  rmsNorm,
  sizeOf,
  split,
  type Symbolic,
  type Tensor,
  checkChoice,
  checkOptions,
} from '@meanflow/core';
import type { VelocityInputs } from '@meanflow/samplers';
import { activations, checkActivation, type ActivationName } from '../layers/activation.js';
import { linear, linearParameters, type LinearParameters } from '../layers/linear.js';
import { countParameters, initialParameters, type Described } from '../layers/parameters.js';
import {
  checkConditioning,
  condition,
  conditioningFields,
  conditioningParameters,
  type ConditionForm,
  type ConditioningConfig,
  type ConditioningParameters,
} from './conditioning.js';
import { checkCounts, checkFeatureShape, checkVelocityHead, type ConfiguredNetwork } from './network.js';

/** A residual multilayer perceptron, as plain JSON. */
export interface ResidualMlpConfig extends ConditioningConfig {
  readonly kind: 'residual-mlp';
  /** Shape of one sample; flattened inside. */
  readonly featureShape: readonly number[];
  /** Units of the residual stream. */
  readonly width: number;
  /** Number of blocks, of two linear layers each. */
  readonly depth: number;
  /** Hidden units of a block, in multiples of `width`; 1 by default. */
  readonly expansion?: number;
  /** `silu` by default. */
  readonly activation?: ActivationName;
  /** Before each block and before the output, without learned scale; `layer-norm` by default. */
  readonly normalisation?: 'layer-norm' | 'rms-norm' | 'none';
  /**
   * How the conditions enter a block. `film` (default): they shift and scale its normalised input and gate
   * its output, all starting from zero (adaLN-zero; Peebles and Xie, 2023). `additive`: they are added to its
   * hidden units.
   */
  readonly conditioning?: 'film' | 'additive';
  /**
   * How conditions become one vector. `add` (default): each through a map of its own, summed. `concatenate`:
   * all features through one map.
   */
  readonly join?: 'add' | 'concatenate';
  /** An auxiliary head for the instantaneous velocity v, with `depth` of the blocks to itself. */
  readonly velocityHead?: { readonly depth: number };
  /** `xavier` by default. */
  readonly initialisation?: 'pytorch' | 'xavier';
  /** Start with an output of zero; true by default. */
  readonly zeroOutput?: boolean;
}

export type ResidualBlockParameters = {
  /**
   * From the conditions: shift, scale and gate, `[width, 3 · width]`, or what is added, `[width, expansion ·
   * width]`.
   */
  readonly condition: LinearParameters;
  readonly hidden: LinearParameters;
  readonly out: LinearParameters;
};

export type OutputParameters = {
  /** From the conditions: shift and scale, `[width, 2 · width]`; with `film` only. */
  readonly condition?: LinearParameters;
  readonly linear: LinearParameters;
};

export type ResidualMlpParameters = {
  readonly condition: ConditioningParameters;
  readonly input: LinearParameters;
  readonly blocks: readonly ResidualBlockParameters[];
  readonly out: OutputParameters;
  /** The auxiliary head's own copies of the last blocks, and its output. */
  readonly velocityHead?: {
    readonly blocks: readonly ResidualBlockParameters[];
    readonly out: OutputParameters;
  };
};

/**
 * A residual multilayer perceptron.
 *
 * @throws {ArgumentError} when a field of `config` is out of range
 */
export function residualMlp(
  config: ResidualMlpConfig,
): ConfiguredNetwork<ResidualMlpParameters, ResidualMlpConfig> {
  const { featureShape, width, depth, velocityHead, conditioning = 'film' } = config;
  checkOptions<ResidualMlpConfig>('residual-mlp', config, {
    ...conditioningFields,
    kind: true,
    featureShape: true,
    width: true,
    depth: true,
    expansion: true,
    activation: true,
    normalisation: true,
    conditioning: true,
    join: true,
    velocityHead: true,
    initialisation: true,
    zeroOutput: true,
  });
  checkChoice('residual-mlp: conditioning', conditioning, ['film', 'additive']);
  checkChoice('residual-mlp: initialisation', config.initialisation ?? 'xavier', ['pytorch', 'xavier']);
  checkFeatureShape(featureShape);
  checkCounts({ width, depth, expansion: config.expansion ?? 1 });
  checkConditioning(config);
  checkVelocityHead(velocityHead, depth);
  const { normalisation = 'layer-norm', activation = 'silu', join = 'add' } = config;
  checkActivation('residual-mlp: activation', activation);
  checkChoice('residual-mlp: normalisation', normalisation, ['layer-norm', 'rms-norm', 'none']);
  checkChoice('residual-mlp: join', join, ['add', 'concatenate']);
  const form: ConditionForm = { kind: join, width, activation };
  const specs = parameterSpecs(config, form);
  const act = activations[activation];
  const normalise = { 'layer-norm': layerNorm, 'rms-norm': rmsNorm, none: (x: Tensor) => x }[normalisation];
  const film = conditioning === 'film';

  /** Normalised, shifted and scaled; and what was left of the modulation (the gate). */
  const modulated = (x: Tensor, from: Symbolic<LinearParameters>, c: Tensor): Tensor[] => {
    const [shift, scale, ...rest] = split(
      linear(from, c),
      Array.from({ length: from.kernel.shape[1] / width }, () => width),
    );
    return [add(mul(normalise(x), add(1, scale)), shift), ...rest];
  };

  const block = (x: Tensor, params: Symbolic<ResidualBlockParameters>, c: Tensor): Tensor => {
    if (film) {
      const [input, gate] = modulated(x, params.condition, c);
      return add(x, mul(gate, linear(params.out, act(linear(params.hidden, input)))));
    }
    const hidden = add(linear(params.hidden, normalise(x)), linear(params.condition, c));
    return add(x, linear(params.out, act(hidden)));
  };

  const output = (x: Tensor, params: Symbolic<OutputParameters>, c: Tensor): Tensor =>
    linear(
      params.linear,
      params.condition === undefined ? normalise(x) : modulated(x, params.condition, c)[0],
    );

  const apply = (params: Symbolic<ResidualMlpParameters>, inputs: VelocityInputs) => {
    const { z } = inputs;
    const c = act(condition(config, form, params.condition, inputs));
    const start = linear(params.input, reshape(z, [z.shape[0], sizeOf(featureShape)]));
    const run = (x: Tensor, blocks: readonly Symbolic<ResidualBlockParameters>[]) =>
      blocks.reduce((y, each) => block(y, each, c), x);
    const shared = depth - (velocityHead?.depth ?? 0);
    const trunk = run(start, params.blocks.slice(0, shared));
    const finish = (
      blocks: readonly Symbolic<ResidualBlockParameters>[],
      out: Symbolic<OutputParameters>,
    ): Tensor => reshape(output(run(trunk, blocks), out, c), z.shape);
    const u = finish(params.blocks.slice(shared), params.out);
    const head = params.velocityHead;
    return head === undefined ? { u } : { u, v: finish(head.blocks, head.out) };
  };

  return {
    config,
    featureShape,
    classCount: config.classCount,
    takesGuidance: config.guidance ?? false,
    hasVelocityHead: velocityHead !== undefined,
    specs,
    parameterCount: countParameters(specs),
    init: (key) => initialParameters(specs, key),
    apply,
  };
}

function parameterSpecs(config: ResidualMlpConfig, form: ConditionForm): Described<ResidualMlpParameters> {
  const { width, depth, expansion = 1, conditioning = 'film', velocityHead } = config;
  const { initialisation = 'xavier', zeroOutput = true } = config;
  const features = sizeOf(config.featureShape);
  const film = conditioning === 'film';
  const block = () => ({
    condition: film
      ? linearParameters(width, 3 * width, 'zero')
      : linearParameters(width, expansion * width, initialisation),
    hidden: linearParameters(width, expansion * width, initialisation),
    out: linearParameters(expansion * width, width, initialisation),
  });
  const out = () => ({
    ...(film ? { condition: linearParameters(width, 2 * width, 'zero') } : {}),
    linear: linearParameters(width, features, zeroOutput ? 'zero' : initialisation),
  });
  const blocks = (count: number) => Array.from({ length: count }, block);
  return {
    condition: conditioningParameters(config, form, initialisation),
    input: linearParameters(features, width, initialisation),
    blocks: blocks(depth),
    out: out(),
    ...(velocityHead === undefined
      ? {}
      : { velocityHead: { blocks: blocks(velocityHead.depth), out: out() } }),
  };
}
