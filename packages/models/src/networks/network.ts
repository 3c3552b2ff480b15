/**
 * What every network of this package has beside the contract of a velocity network, and its entry in the registry: everything
 * that others must know of a network by its configuration alone.
 */
import { ArgumentError, type ConditionSpecs, type RandomKey, type Symbolic, type Tree } from '@meanflow/core';
import type { ParameterTree, VelocityInputs, VelocityNetwork, VelocityOutputs } from '@meanflow/samplers';
import type * as z from 'zod';
import type { ParameterRoles, RoleFacts } from '../adopt/roles.js';
import type { ParameterSpec } from '../layers/parameters.js';
import type { PublishedBuffer, PublishedNames, PublishedSource } from '../published/published-parameter.js';

/** A velocity network, with the configuration that it was made from. */
export interface ConfiguredNetwork<Params extends ParameterTree, Config> extends VelocityNetwork<Params> {
  /** Plain JSON, as it was given; the same configuration makes the same network. */
  readonly config: Config;
  /** Its parameters before they exist: the tree that `init` makes, with shapes for arrays. */
  readonly specs: Tree<ParameterSpec>;
  /** Number of scalars in its parameters. */
  readonly parameterCount: number;
}

/** The configuration of any network, as plain JSON: what all have. */
export interface AnyNetworkConfig {
  readonly kind: string;
  readonly featureShape: readonly number[];
  readonly classCount?: number | undefined;
  readonly conditions?: ConditionSpecs | undefined;
}

/**
 * Any network that is made from a configuration. The parameters that a network makes are the ones that it takes; which ones they
 * are is forgotten here.
 */
export interface AnyNetwork extends Omit<
  ConfiguredNetwork<ParameterTree, AnyNetworkConfig>,
  'init' | 'apply'
> {
  init(key: RandomKey): ParameterTree;
  apply(params: Symbolic<ParameterTree>, inputs: VelocityInputs): VelocityOutputs;
}

/** What is known of a network before there is one, from its settings. */
export interface NetworkFacts {
  /** Whether it takes ω and its interval as conditions. */
  readonly takesGuidance: boolean;
  /** Whether it has a head for the instantaneous velocity, which training needs. */
  readonly hasVelocityHead: boolean;
  /** Its kind and size in words, such as `dit, 4 deep, 128 wide`. */
  readonly description: string;
}

/** What a network's kind is, in the registry. */
export interface NetworkEntry<Config extends AnyNetworkConfig = AnyNetworkConfig> {
  /** The kind. */
  readonly name: string;
  /** A configuration without what the data decide: the shape of a sample and the number of classes. */
  readonly settings: z.ZodObject;
  /** How it takes images: `[height, width, channels]` or `[channels, height, width]`. */
  readonly layout: 'nhwc' | 'nchw';
  /** Whether it sees features without their places, so that the order of an array's axes is nothing to it. */
  readonly isFlat: boolean;
  /** Whether it can be told classes; every network can be told conditions. */
  readonly takesClasses: boolean;
  /** @param settings as the schema has them, checked before */
  facts(settings: unknown): NetworkFacts;
  /** @throws {ArgumentError} when a field of `config` is out of range */
  create(config: Config): AnyNetwork;
  /** Who published networks of a configuration, and under which names; absent where nobody did. */
  publishedNames?(config: Config): Readonly<Partial<Record<PublishedSource, PublishedNames>>>;
  /** Constants that published code keeps beside its parameters. */
  publishedBuffers?(config: Config): readonly PublishedBuffer[];
  /**
   * Which parameters are matrices for Muon, by their paths. Of a network that was published, those that are matrices in the
   * published code; otherwise absent, and Muon is refused.
   */
  matrices?(config: Config): readonly string[];
  /**
   * What its parameters are for, so that a warm start finds them in another configuration of it; absent where their paths say it.
   *
   * @param facts what is known beside the configuration
   */
  roles?(config: Config, facts: RoleFacts): ParameterRoles;
}

/** The facts of a network that has so many layers of one width. */
export function layerFacts(settings: {
  readonly kind: string;
  readonly depth: number;
  readonly width: number;
  readonly guidance: boolean;
  readonly velocityHead?: object | undefined;
}): NetworkFacts {
  const { kind, depth, width, guidance, velocityHead } = settings;
  return {
    takesGuidance: guidance,
    hasVelocityHead: velocityHead !== undefined,
    description: `${kind}, ${depth} deep, ${width} wide`,
  };
}

/** What takes memory to make, made when it is first used: a network can be described and counted without it. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** @throws {ArgumentError} unless the layers that a head has to itself are some of all */
export function checkHeadDepth(name: string, headDepth: number, depth: number): void {
  if (headDepth > depth) {
    throw new ArgumentError(
      `${name} is how many of the ${depth} layers the head has to itself, from 0 to ${depth}; got ${headDepth}.`,
    );
  }
}

/** @throws {ArgumentError} unless there is no head, or one with some of `depth` layers to itself */
export function checkVelocityHead(head: { readonly depth: number } | undefined, depth: number): void {
  if (head === undefined) return;
  checkHeadDepth('velocityHead.depth', head.depth, depth);
}

/** @throws {ArgumentError} unless the heads divide the width */
export function checkHeads(width: number, heads: number): void {
  if (width % heads !== 0) {
    throw new ArgumentError(
      `heads divide the width into equal parts, got ${heads} heads for width ${width}.`,
    );
  }
}

/** @throws {ArgumentError} unless an MLP in a block has a hidden unit or more */
export function checkMlpRatio(mlpRatio: number, width: number): void {
  if (Math.floor(mlpRatio * width) < 1) {
    throw new ArgumentError(
      `mlpRatio is the hidden units of a block's MLP in multiples of the width, got ${mlpRatio}.`,
    );
  }
}
