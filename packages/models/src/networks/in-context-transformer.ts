/**
 * What improved MeanFlow's network (arXiv 2512.02012, section 4.3) and pixel MeanFlow's (arXiv 2601.22158) have in common:
 * tokens of the conditions and of the patches go through shared blocks, and after those a head for the average velocity
 * and one for the instantaneous velocity go their own ways. The second serves training only.
 */
import { add, concat, slice, type Symbolic, type Tensor } from '@meanflow/core';
import type { VelocityInputs } from '@meanflow/samplers';
import * as z from 'zod';
import {
  conditionTokenCount,
  conditionTokenParameters,
  conditionTokens,
  featureTokens,
  numberTokens,
  tokenInitialisation,
  tokenStart,
  type ConditionTokenCounts,
  type ConditionTokenParameters,
  type NumberTokens,
} from '../layers/condition-tokens.js';
import { runBlocks } from '../layers/blocks.js';
import { channelsRole } from '../adopt/conditioning-roles.js';
import { classRows, type ParameterRoles, type RoleFacts, type RowGroup } from '../adopt/roles.js';
import { gatedBlock, gatedBlockParameters, type GatedBlockParameters } from '../layers/gated-block.js';
import {
  planConditions,
  sequenceLength,
  sequenceTokenParameters,
  sequenceTokens,
  withBeside,
  type SequenceTokenParameters,
} from '../layers/given-conditions.js';
import { linear, linearParameters, type LinearParameters } from '../layers/linear.js';
import { rmsNormParameters, scaledRmsNorm, type RmsNormParameters } from '../layers/norm.js';
import { normalWith, ParameterSpec, type Described, type Parameter } from '../layers/parameters.js';
import { patchGrid, patchWidth, type PatchGrid } from '../layers/patches.js';
import type { RotaryTable } from '../layers/rotary.js';
import { checkLabel, scalarConditions } from './conditioning.js';
import { count, dataFields, layerCount, velocityHead } from './fields.js';
import { checkHeadDepth, checkHeads, checkMlpRatio, checkVelocityHead, once } from './network.js';

/** Fields that both networks have. */
export const inContextFields = {
  patchSize: count.describe(
    'Side of a patch; images whose sides it does not divide are made larger by zeros inside the network.',
  ),
  width: count.describe('Width of a token; divisible by `heads`.'),
  depth: layerCount.describe('Blocks that u goes through: shared ones and its own.'),
  heads: count,
  headDepth: z.int().nonnegative().default(8).describe("How many of them are u's own."),
  velocityHead: velocityHead
    .optional()
    .describe(
      "The head for the instantaneous velocity v, with that many blocks of its own: as many as u's when training. With 0, which is what iMF's checkpoints for sampling hold, only its output layer is there. Absent for sampling.",
    ),
  mlpRatio: z
    .number()
    .positive()
    .default(8 / 3)
    .describe("Hidden units of a block's MLP, in multiples of `width`, rounded down."),
  guidance: z.boolean().default(true).describe('Take ω, tMin and tMax as conditions.'),
  tokens: z
    .strictObject({
      label: count.optional(),
      omega: count.optional(),
      interval: count.optional(),
      time: count.optional(),
    })
    .optional()
    .describe('Tokens of each condition; label 8, omega 4, interval 2 and time 4 by default, as published.'),
};

/** What the data decide of both. */
export const inContextData = dataFields('[height, width, channels] of an image or latent.');

/** What both have, with every default filled in. */
export type InContextConfig = z.output<z.ZodObject<typeof inContextFields & typeof inContextData>>;

export type HeadParameters = {
  readonly blocks: readonly GatedBlockParameters[];
  readonly norm: RmsNormParameters;
  readonly linear: LinearParameters;
};

export type InContextParameters = {
  readonly conditions: ConditionTokenParameters;
  /** Of the conditions that are features, and of each sequence that is given. */
  readonly given?: NumberTokens | undefined;
  readonly sequences?: Readonly<Record<string, SequenceTokenParameters>> | undefined;
  /** Added to the whole sequence; `[tokens, width]`. With learned positions only. */
  readonly positions?: Parameter | undefined;
  readonly blocks: readonly GatedBlockParameters[];
  readonly averageHead: HeadParameters;
  readonly velocityHead?: HeadParameters | undefined;
};

function tokenCounts({ tokens = {} }: Pick<InContextConfig, 'tokens'>): ConditionTokenCounts {
  const { label = 8, omega = 4, interval = 2, time = 4 } = tokens;
  return { label, omega, interval, time };
}

/** What differs between the two networks. */
interface InContextForm {
  readonly grid: PatchGrid;
  /** Positions for queries and keys of a head's width, given the number of tokens before the patches. */
  readonly rotary: (prefix: number, headWidth: number) => RotaryTable;
  /** @throws {ArgumentError} when heads of that width cannot be turned */
  readonly checkHeadWidth: (headWidth: number) => void;
  readonly learnedPositions: boolean;
}

/** The part between the embedding of patches and the images. */
export interface InContextTransformer {
  readonly specs: Described<InContextParameters>;
  /** Channels of images that are given, beside those of z. */
  readonly channels: number;
  /** z with the images that are given beside it: what patches are embedded of. */
  readonly images: (inputs: VelocityInputs) => Tensor;
  /**
   * @param patches `[batch, patches, width]`
   * @returns outputs of the heads, `[batch, patches, patchWidth]`
   */
  readonly run: (
    params: Symbolic<InContextParameters>,
    inputs: VelocityInputs,
    patches: Tensor,
  ) => { readonly u: Tensor; readonly v: Tensor | undefined };
}

/** @throws {ArgumentError} when fields do not fit to one another */
function checkInContext({ width, depth, heads, headDepth, velocityHead, mlpRatio }: InContextConfig): void {
  checkHeads(width, heads);
  checkMlpRatio(mlpRatio, width);
  checkHeadDepth('headDepth', headDepth, depth);
  checkVelocityHead(velocityHead, depth);
}

/** Tokens of the conditions that are features, as many as the published network has for a number. */
const GIVEN_TOKENS = 4;

/** The tokens of the sequence, in their order: those of each condition, and the patches. */
function tokenGroups(config: InContextConfig): readonly RowGroup[] {
  const { label, omega, interval, time } = tokenCounts(config);
  const { rows, columns } = patchGrid(config.featureShape, config.patchSize);
  const { features, sequences } = planConditions(config.conditions, { tokens: true });
  return [
    ...(features > 0 ? [{ name: 'given', size: GIVEN_TOKENS }] : []),
    ...Object.entries(sequences).map(([name, [size]]) => ({ name: `sequence ${name}`, size })),
    ...(config.classCount === undefined ? [] : [{ name: 'label', size: label }]),
    ...(config.guidance
      ? [
          { name: 'omega', size: omega },
          { name: 'tMin', size: interval },
          { name: 'tMax', size: interval },
        ]
      : []),
    { name: 'h', size: time },
    { name: 'patches', size: rows * columns },
  ];
}

/** The roles of parameters, for a warm start: u's blocks are counted through, shared ones first. */
export function inContextRoles(config: InContextConfig, facts: RoleFacts): ParameterRoles {
  const { depth, headDepth, velocityHead, classCount, featureShape } = config;
  const shared = depth - headDepth;
  const image = { featureShape, channelAxis: 2 } as const;
  const { channels } = planConditions(config.conditions, { image, tokens: true });
  return (path) => {
    if (/^patch\/(reduce\/)?kernel$/.test(path)) return channelsRole(featureShape[2]!, channels, 2);
    if (path === 'positions') return { rows: tokenGroups(config) };
    if (path === 'conditions/label/table' && classCount !== undefined) {
      return { rows: classRows(classCount, facts) };
    }
    const [, group, index, rest] = /^(?:(averageHead|velocityHead)\/)?blocks\/(\d+)\/(.*)$/.exec(path) ?? [];
    if (rest === undefined) {
      return path.startsWith('velocityHead/') ? { like: path.replace('velocity', 'average') } : undefined;
    }
    const place = Number(index);
    if (group === undefined) return { name: `blocks of u/${place}/${rest}` };
    if (group === 'averageHead') return { name: `blocks of u/${shared + place}/${rest}` };
    // A head of another depth than u's begins after other blocks than its copy would.
    return velocityHead?.depth === headDepth ? { like: `blocks of u/${shared + place}/${rest}` } : undefined;
  };
}

/** @throws {ArgumentError} when fields do not fit to one another */
export function inContextTransformer(config: InContextConfig, form: InContextForm): InContextTransformer {
  checkInContext(config);
  const { width, depth, heads, headDepth, velocityHead, mlpRatio } = config;
  const { grid, learnedPositions } = form;
  const plan = planConditions(config.conditions, {
    image: { featureShape: config.featureShape, channelAxis: 2 },
    tokens: true,
  });
  const own = { classCount: config.classCount, guidance: config.guidance };
  const counts = tokenCounts(config);
  const given = plan.features === 0 ? 0 : GIVEN_TOKENS;
  const prefix = given + sequenceLength(plan.sequences) + conditionTokenCount(own, counts);
  const length = prefix + grid.rows * grid.columns;
  form.checkHeadWidth(width / heads);
  const rotary = once(() => form.rotary(prefix, width / heads));

  const blocks = (count: number) =>
    Array.from({ length: count }, () => gatedBlockParameters(width, heads, Math.floor(mlpRatio * width)));
  const head = (count: number) => ({
    blocks: blocks(count),
    norm: rmsNormParameters(width),
    linear: linearParameters(width, patchWidth(grid), 'zero'),
  });
  const specs: Described<InContextParameters> = {
    conditions: conditionTokenParameters(own, counts, width),
    ...(given === 0 ? {} : { given: numberTokens(plan.features, given, width) }),
    ...(Object.keys(plan.sequences).length === 0
      ? {}
      : {
          sequences: sequenceTokenParameters(plan.sequences, width, tokenInitialisation, tokenStart(width)),
        }),
    ...(learnedPositions ? { positions: new ParameterSpec([length, width], normalWith(0.02)) } : {}),
    blocks: blocks(depth - headDepth),
    averageHead: head(headDepth),
    ...(velocityHead === undefined ? {} : { velocityHead: head(velocityHead.depth) }),
  };

  const run = runBlocks((x, each: Symbolic<GatedBlockParameters>) =>
    gatedBlock(each, x, { heads, rotary: rotary() }),
  );
  const finish = (
    trunk: Tensor,
    params: Symbolic<HeadParameters>,
    head: 'averageHead' | 'velocityHead',
  ): Tensor => {
    const tokens = run(trunk, params.blocks, `${head}/blocks`);
    const patches = slice(tokens, [0, prefix, 0], tokens.shape);
    return linear(params.linear, scaledRmsNorm(params.norm, patches));
  };

  return {
    specs,
    channels: plan.channels,
    images: (inputs) => withBeside(inputs.z, plan.read(inputs).beside, 3),
    run: (params, inputs, patches) => {
      checkLabel(config.classCount, inputs.label);
      const numbers = scalarConditions({ times: 'h', guidance: own.guidance }, inputs);
      const entering = plan.read(inputs);
      const before = sequenceTokens(params.sequences, entering);
      if (params.given && entering.features) before.unshift(featureTokens(params.given, entering.features));
      const tokens = concat(
        [...before, conditionTokens(params.conditions, inputs.label, numbers), patches],
        1,
      );
      const placed = params.positions === undefined ? tokens : add(tokens, params.positions);
      const trunk = run(placed, params.blocks, 'blocks');
      return {
        u: finish(trunk, params.averageHead, 'averageHead'),
        v: params.velocityHead && finish(trunk, params.velocityHead, 'velocityHead'),
      };
    },
  };
}
