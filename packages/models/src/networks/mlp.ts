/**
 * The multilayer perceptron: z and its conditions through hidden layers of one width to a velocity. For data
 * of few dimensions, such as points of the plane.
 */
import {
  add,
  concat,
  reshape,
  sizeOf,
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
  conditionWidth,
  type ConditionForm,
  type ConditioningConfig,
  type ConditioningParameters,
} from './conditioning.js';
import { checkCounts, checkFeatureShape, checkVelocityHead, type ConfiguredNetwork } from './network.js';

/** A multilayer perceptron, as plain JSON. */
export interface MlpConfig extends ConditioningConfig {
  readonly kind: 'mlp';
  /** Shape of one sample; flattened inside. */
  readonly featureShape: readonly number[];
  /** Units in each hidden layer. */
  readonly width: number;
  /** Number of hidden layers. */
  readonly depth: number;
  /** `silu` by default. */
  readonly activation?: ActivationName;
  /**
   * `concatenate` (default): features of the conditions stand beside z at the input. `add`: each goes through
   * a map of its own, and their sum is added in the first hidden layer.
   */
  readonly join?: 'concatenate' | 'add';
  /** An auxiliary head for the instantaneous velocity v, with `depth` of the hidden layers to itself. */
  readonly velocityHead?: { readonly depth: number };
  /** `pytorch` by default. */
  readonly initialisation?: 'pytorch' | 'xavier';
  /** Start with an output of zero; false by default. */
  readonly zeroOutput?: boolean;
}

export type MlpParameters = {
  readonly condition: ConditioningParameters;
  /** The hidden layers, first to last. */
  readonly layers: readonly LinearParameters[];
  readonly out: LinearParameters;
  /** The auxiliary head's own copies of the last hidden layers, and its output. */
  readonly velocityHead?: { readonly layers: readonly LinearParameters[]; readonly out: LinearParameters };
};

/**
 * A multilayer perceptron.
 *
 * @throws {ArgumentError} when a field of `config` is out of range
 */
export function mlp(config: MlpConfig): ConfiguredNetwork<MlpParameters, MlpConfig> {
  const { featureShape, depth, velocityHead, activation = 'silu' } = config;
  checkOptions<MlpConfig>('mlp', config, {
    ...conditioningFields,
    kind: true,
    featureShape: true,
    width: true,
    depth: true,
    activation: true,
    join: true,
    velocityHead: true,
    initialisation: true,
    zeroOutput: true,
  });
  checkActivation('mlp: activation', activation);
  checkChoice('mlp: join', config.join ?? 'concatenate', ['concatenate', 'add']);
  checkChoice('mlp: initialisation', config.initialisation ?? 'pytorch', ['pytorch', 'xavier']);
  checkFeatureShape(featureShape);
  checkCounts({ width: config.width, depth });
  checkConditioning(config);
  checkVelocityHead(velocityHead, depth);
  const form = conditionForm(config);
  const specs = parameterSpecs(config, form);
  const act = activations[activation];
  const features = sizeOf(featureShape);

  const apply = (params: Symbolic<MlpParameters>, inputs: VelocityInputs) => {
    const { z } = inputs;
    const c = condition(config, form, params.condition, inputs);
    const flat = reshape(z, [z.shape[0], features]);
    const start = form.kind === 'features' ? concat([flat, c], 1) : flat;
    const hidden = (x: Tensor, layer: Symbolic<LinearParameters>, index: number): Tensor => {
      const y = linear(layer, x);
      return act(index === 0 && form.kind === 'add' ? add(y, c) : y);
    };
    const shared = depth - (velocityHead?.depth ?? 0);
    const trunk = params.layers.slice(0, shared).reduce(hidden, start);
    const finish = (
      layers: readonly Symbolic<LinearParameters>[],
      out: Symbolic<LinearParameters>,
    ): Tensor => {
      const top = layers.reduce((x, layer, i) => hidden(x, layer, shared + i), trunk);
      return reshape(linear(out, top), z.shape);
    };
    const u = finish(params.layers.slice(shared), params.out);
    const head = params.velocityHead;
    return head === undefined ? { u } : { u, v: finish(head.layers, head.out) };
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

function conditionForm({ join = 'concatenate', width, activation = 'silu' }: MlpConfig): ConditionForm {
  return join === 'add' ? { kind: 'add', width, activation } : { kind: 'features' };
}

function parameterSpecs(config: MlpConfig, form: ConditionForm): Described<MlpParameters> {
  const { width, depth, velocityHead, initialisation = 'pytorch', zeroOutput = false } = config;
  const features = sizeOf(config.featureShape);
  const inputs = features + (form.kind === 'features' ? conditionWidth(config, form) : 0);
  const hidden = (index: number) => linearParameters(index === 0 ? inputs : width, width, initialisation);
  const out = () => linearParameters(width, features, zeroOutput ? 'zero' : initialisation);
  const indices = Array.from({ length: depth }, (_, index) => index);
  return {
    condition: conditioningParameters(config, form, initialisation),
    layers: indices.map(hidden),
    out: out(),
    ...(velocityHead === undefined
      ? {}
      : { velocityHead: { layers: indices.slice(depth - velocityHead.depth).map(hidden), out: out() } }),
  };
}
