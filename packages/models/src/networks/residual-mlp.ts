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
} from '@meanflow/core';
import { validate, leading } from '@meanflow/core/validation';
import type { VelocityInputs } from '@meanflow/samplers';
import * as z from 'zod';
import { conditioningRoles, headRole } from '../adopt/conditioning-roles.js';
import { activationName, activations } from '../layers/activation.js';
import { runBlocks } from '../layers/blocks.js';
import { planConditions, withBeside, type ConditionPlan } from '../layers/given-conditions.js';
import { linear, linearParameters, type LinearParameters } from '../layers/linear.js';
import { type Described } from '../layers/parameters.js';
import {
  classWidth,
  condition,
  conditioningFields,
  conditioningParameters,
  type ConditionForm,
  type ConditioningParameters,
} from './conditioning.js';
import { count, dataFields, initialisation, layerCount, velocityHead } from './fields.js';
import { checkVelocityHead, composeNetwork, type ConfiguredNetwork } from './network.js';
import type { NetworkDefinition } from './definition.js';

const settings = z.strictObject({
  kind: z.literal('residual-mlp'),
  width: count.describe('Units of the residual stream.'),
  depth: layerCount.describe('Number of blocks, of two linear layers each.'),
  expansion: count.default(1).describe('Hidden units of a block, in multiples of `width`.'),
  activation: activationName.default('silu'),
  normalisation: z
    .enum(['layer-norm', 'rms-norm', 'none'])
    .default('layer-norm')
    .describe('Before each block and before the output, without learned scale.'),
  conditioning: z
    .enum(['film', 'additive'])
    .default('film')
    .describe(
      'How the conditions enter a block. film: they shift and scale its normalised input and gate its output, all starting from zero (adaLN-zero; Peebles and Xie, 2023). additive: they are added to its hidden units.',
    ),
  join: z
    .enum(['add', 'concatenate'])
    .default('add')
    .describe(
      'How conditions become one vector. add: each through a map of its own, summed. concatenate: all features through one map.',
    ),
  velocityHead: velocityHead
    .optional()
    .describe('An auxiliary head for the instantaneous velocity v, with `depth` of the blocks to itself.'),
  initialisation: initialisation.default('xavier'),
  zeroOutput: z.boolean().default(true).describe('Start with an output of zero.'),
  ...conditioningFields,
  classWidth,
});
const schema = settings.extend(dataFields('Shape of one sample; flattened inside.'));

/** A residual multilayer perceptron, as plain JSON. */
export type ResidualMlpConfig = z.input<typeof schema>;
type FullConfig = z.output<typeof schema>;

export type ResidualMlpBlockParameters = {
  /**
   * From the conditions: shift, scale and gate, `[width, 3 · width]`, or what is added, `[width, expansion ·
   * width]`.
   */
  readonly condition: LinearParameters;
  readonly hidden: LinearParameters;
  readonly out: LinearParameters;
};

export type ResidualMlpOutputParameters = {
  /** From the conditions: shift and scale, `[width, 2 · width]`; with `film` only. */
  readonly condition?: LinearParameters | undefined;
  readonly linear: LinearParameters;
};

export type ResidualMlpParameters = {
  readonly condition: ConditioningParameters;
  readonly input: LinearParameters;
  readonly blocks: readonly ResidualMlpBlockParameters[];
  readonly out: ResidualMlpOutputParameters;
  /** The auxiliary head's own copies of the last blocks, and its output. */
  readonly velocityHead?:
    | {
        readonly blocks: readonly ResidualMlpBlockParameters[];
        readonly out: ResidualMlpOutputParameters;
      }
    | undefined;
};

/**
 * A residual multilayer perceptron.
 *
 * @throws {ArgumentError} when a field of `config` is out of range
 */
export function residualMlp(
  config: ResidualMlpConfig,
): ConfiguredNetwork<ResidualMlpParameters, ResidualMlpConfig> {
  const full = validate(schema, config, 'residual-mlp');
  const { featureShape, width, depth, velocityHead, conditioning, normalisation, activation, join } = full;
  checkVelocityHead(velocityHead, depth);
  const form: ConditionForm = { kind: join, width, activation };
  const plan = planConditions(full.conditions);
  const specs = parameterSpecs(full, form, plan);
  const act = activations[activation];
  const normalise = { 'layer-norm': layerNorm, 'rms-norm': rmsNorm, none: (x: Tensor) => x }[normalisation];
  const film = conditioning === 'film';

  /** Normalised, shifted and scaled; and what was left of the modulation (the gate). */
  const modulated = (x: Tensor, from: Symbolic<LinearParameters>, c: Tensor): Tensor[] => {
    const parts = split(
      linear(from, c),
      Array.from({ length: from.kernel.shape[1]! / width }, () => width),
    );
    const [shift, scale] = leading(parts, 2);
    const rest = parts.slice(2);
    return [add(mul(normalise(x), add(1, scale)), shift), ...rest];
  };

  const block = (x: Tensor, params: Symbolic<ResidualMlpBlockParameters>, c: Tensor): Tensor => {
    if (film) {
      const [input, gate] = leading(modulated(x, params.condition, c), 2);
      return add(x, mul(gate, linear(params.out, act(linear(params.hidden, input)))));
    }
    const hidden = add(linear(params.hidden, normalise(x)), linear(params.condition, c));
    return add(x, linear(params.out, act(hidden)));
  };

  const output = (x: Tensor, params: Symbolic<ResidualMlpOutputParameters>, c: Tensor): Tensor =>
    linear(
      params.linear,
      params.condition === undefined ? normalise(x) : modulated(x, params.condition, c)[0]!,
    );

  const apply = (params: Symbolic<ResidualMlpParameters>, inputs: VelocityInputs) => {
    const { z } = inputs;
    const given = plan.read(inputs);
    const c = act(condition(full, form, params.condition, inputs, given.features));
    const flat = reshape(z, [z.shape[0]!, sizeOf(featureShape)]);
    const start = linear(params.input, withBeside(flat, given.beside, 1));
    const run = runBlocks((x, each: Symbolic<ResidualMlpBlockParameters>) => block(x, each, c));
    const shared = depth - (velocityHead?.depth ?? 0);
    const trunk = run(start, params.blocks.slice(0, shared), 'blocks');
    const finish = (x: Tensor, out: Symbolic<ResidualMlpOutputParameters>): Tensor =>
      reshape(output(x, out, c), z.shape);
    const u = finish(run(trunk, params.blocks.slice(shared), 'blocks', shared), params.out);
    const head = params.velocityHead;
    if (head === undefined) return { u };
    return { u, v: finish(run(trunk, head.blocks, 'velocityHead/blocks'), head.out) };
  };

  return composeNetwork(config, {
    takesGuidance: full.guidance,
    hasVelocityHead: velocityHead !== undefined,
    specs,
    apply,
  });
}

function parameterSpecs(
  config: FullConfig,
  form: ConditionForm,
  plan: ConditionPlan,
): Described<ResidualMlpParameters> {
  const { width, depth, expansion, conditioning, velocityHead, initialisation, zeroOutput } = config;
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
    condition: conditioningParameters(config, form, initialisation, plan),
    input: linearParameters(features + plan.channels, width, initialisation),
    blocks: blocks(depth),
    out: out(),
    ...(velocityHead === undefined
      ? {}
      : { velocityHead: { blocks: blocks(velocityHead.depth), out: out() } }),
  };
}

export const residualMlpEntry: NetworkDefinition<ResidualMlpConfig> = {
  name: 'residual-mlp',
  settings,
  isFlat: true,
  create: residualMlp,
  roles: (config, facts) => {
    const full = schema.parse(config);
    const { channels, features } = planConditions(full.conditions);
    const conditioning = conditioningRoles(full, full.join, facts, features);
    const inputs = [
      { name: 'z', size: sizeOf(full.featureShape) },
      { name: 'beside', size: channels },
    ].filter(({ size }) => size > 0);
    return (path) => {
      if (path === 'input/kernel') return { rows: inputs, otherwise: 'zero' };
      return headRole(path, 'blocks', full) ?? conditioning(path);
    };
  },
};
