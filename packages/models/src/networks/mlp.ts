/**
 * The multilayer perceptron: z and its conditions through hidden layers of one width to a velocity. For data
 * of few dimensions, such as points of the plane.
 */
import { add, concat, reshape, sizeOf, type Symbolic, type Tensor } from '@meanflow/core';
import { validate } from '@meanflow/core/validation';
import type { VelocityInputs } from '@meanflow/samplers';
import * as z from 'zod';
import { conditioningRoles, headRole } from '../adopt/conditioning-roles.js';
import { activationName, activations } from '../layers/activation.js';
import { embedPoint, featuresWidth, fourierFeatures } from '../layers/fourier-features.js';
import { planConditions, withBeside, type ConditionPlan } from '../layers/given-conditions.js';
import { linear, linearParameters, type LinearParameters } from '../layers/linear.js';
import { type Described } from '../layers/parameters.js';
import {
  classWidth,
  condition,
  conditionFeatures,
  conditioningFields,
  conditioningParameters,
  conditionWidth,
  type ConditionForm,
  type ConditioningParameters,
} from './conditioning.js';
import { count, dataFields, initialisation, layerCount, velocityHead } from './fields.js';
import { checkVelocityHead, composeNetwork, type ConfiguredNetwork } from './network.js';
import type { NetworkDefinition } from './definition.js';

const settings = z.strictObject({
  kind: z.literal('mlp'),
  width: count.describe('Units in each hidden layer.'),
  depth: layerCount.describe('Number of hidden layers.'),
  activation: activationName.default('silu'),
  inputFeatures: fourierFeatures
    .optional()
    .describe(
      'Sines and cosines of the numbers of z that stand beside them at the input; absent for z alone.',
    ),
  join: z
    .enum(['concatenate', 'add'])
    .default('concatenate')
    .describe(
      'concatenate: features of the conditions stand beside z at the input. add: each goes through a map of its own, and their sum is added in the first hidden layer.',
    ),
  velocityHead: velocityHead
    .optional()
    .describe(
      'An auxiliary head for the instantaneous velocity v, with `depth` of the hidden layers to itself.',
    ),
  initialisation: initialisation.default('pytorch'),
  zeroOutput: z.boolean().default(false).describe('Start with an output of zero.'),
  ...conditioningFields,
  classWidth,
});
const schema = settings.extend(dataFields('Shape of one sample; flattened inside.'));

/** A multilayer perceptron, as plain JSON. */
export type MlpConfig = z.input<typeof schema>;
type FullConfig = z.output<typeof schema>;

export type MlpParameters = {
  readonly condition: ConditioningParameters;
  /** The hidden layers, first to last. */
  readonly layers: readonly LinearParameters[];
  readonly out: LinearParameters;
  /** The auxiliary head's own copies of the last hidden layers, and its output. */
  readonly velocityHead?:
    { readonly layers: readonly LinearParameters[]; readonly out: LinearParameters } | undefined;
};

/**
 * A multilayer perceptron.
 *
 * @throws {ArgumentError} when a field of `config` is out of range
 */
export function mlp(config: MlpConfig): ConfiguredNetwork<MlpParameters, MlpConfig> {
  const full = validate(schema, config, 'mlp');
  const { featureShape, depth, velocityHead } = full;
  checkVelocityHead(velocityHead, depth);
  const form = conditionForm(full);
  const plan = planConditions(full.conditions);
  const specs = parameterSpecs(full, form, plan);
  const act = activations[full.activation];
  const features = sizeOf(featureShape);

  const apply = (params: Symbolic<MlpParameters>, inputs: VelocityInputs) => {
    const { z } = inputs;
    const given = plan.read(inputs);
    const c = condition(full, form, params.condition, inputs, given.features);
    const point = embedPoint(full.inputFeatures, reshape(z, [z.shape[0]!, features]));
    const flat = withBeside(point, given.beside, 1);
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

  return composeNetwork(config, {
    takesGuidance: full.guidance,
    hasVelocityHead: velocityHead !== undefined,
    specs,
    apply,
  });
}

function conditionForm({ join, width, activation }: FullConfig): ConditionForm {
  return join === 'add' ? { kind: 'add', width, activation } : { kind: 'features' };
}

function parameterSpecs(
  config: FullConfig,
  form: ConditionForm,
  plan: ConditionPlan,
): Described<MlpParameters> {
  const { width, depth, velocityHead, initialisation, zeroOutput } = config;
  const features = sizeOf(config.featureShape);
  const inputs =
    featuresWidth(config.inputFeatures, features) +
    plan.channels +
    (form.kind === 'features' ? conditionWidth(config, form, plan) : 0);
  const hidden = (index: number) => linearParameters(index === 0 ? inputs : width, width, initialisation);
  const out = () => linearParameters(width, features, zeroOutput ? 'zero' : initialisation);
  const indices = Array.from({ length: depth }, (_, index) => index);
  return {
    condition: conditioningParameters(config, form, initialisation, plan),
    layers: indices.map(hidden),
    out: out(),
    ...(velocityHead === undefined
      ? {}
      : { velocityHead: { layers: indices.slice(depth - velocityHead.depth).map(hidden), out: out() } }),
  };
}

export const mlpEntry: NetworkDefinition<MlpConfig> = {
  name: 'mlp',
  settings,
  isFlat: true,
  create: mlp,
  roles: (config, facts) => {
    const full = schema.parse(config);
    const form = conditionForm(full);
    const { channels, features } = planConditions(full.conditions);
    const conditioning = conditioningRoles(full, form.kind, facts, features);
    const coordinates = sizeOf(full.featureShape);
    const inputs = [
      { name: 'z', size: coordinates },
      { name: 'waves', size: featuresWidth(full.inputFeatures, coordinates) - coordinates },
      { name: 'beside', size: channels },
      ...(form.kind === 'features' ? [...conditionFeatures(full), { name: 'given', size: features }] : []),
    ].filter(({ size }) => size > 0);
    return (path) => {
      if (path === 'layers/0/kernel') return { rows: inputs, otherwise: 'zero' };
      return headRole(path, 'layers', full) ?? conditioning(path);
    };
  },
};
