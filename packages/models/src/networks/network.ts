/**
 * What every network that is made from a configuration has beside the contract of a velocity network, and how one is put
 * together from its parameters, described, and from what it makes of them.
 */
import {
  ArgumentError,
  type ConditionSpecs,
  type MapLeaves,
  type RandomKey,
  sameShape,
  ShapeError,
  type Symbolic,
  Tensor,
  type Tree,
} from '@meanflow/core';
import { describeValue, formatType, quoted } from '@meanflow/core/validation';
import type {
  ParameterTree,
  ParameterTreeOf,
  VelocityInputs,
  VelocityNetwork,
  VelocityOutputs,
} from '@meanflow/samplers';
import { countParameters, initialiser, type Parameter, type ParameterSpec } from '../layers/parameters.js';

/** Parameters, described. */
export type SpecTree = { readonly [name: string]: Tree<ParameterSpec> };

/** A velocity network, with the configuration that it was made from. */
export interface ConfiguredNetwork<
  Params extends ParameterTreeOf<Params>,
  Config,
> extends VelocityNetwork<Params> {
  /** Plain JSON, as it was given; the same configuration makes the same network. */
  readonly config: Config;
  /** Its parameters before they exist: the tree that `init` makes, with shapes for arrays. */
  readonly specs: SpecTree;
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

/** What a network may have beside its parameters and what it makes of them. */
export type NetworkTraits = Partial<
  Pick<VelocityNetwork, 'takesGuidance' | 'hasVelocityHead' | 'noiseScale' | 'smallestTime' | 'drawDropout'>
>;

/** The parameters that descriptions stand for. */
export type ParametersOf<Specs> =
  MapLeaves<Specs, ParameterSpec, Parameter> extends infer Params extends ParameterTreeOf<Params>
    ? Params
    : never;

/** What a network is to be written down as. */
export interface NetworkParts<Specs extends SpecTree> extends NetworkTraits {
  /** Its parameters, described. */
  readonly specs: Specs;
  /** What it makes of them; pure, called while tracing. */
  readonly apply: (params: Symbolic<ParametersOf<Specs>>, inputs: VelocityInputs) => VelocityOutputs;
}

/** The same of a network whose parameters are known at run time only. */
export interface AnyNetworkParts extends NetworkTraits {
  readonly specs: SpecTree;
  apply(params: Symbolic<ParameterTree>, inputs: VelocityInputs): VelocityOutputs;
}

/** A network from its parameters, described, and from what it makes of them: the rest is in its configuration. */
export function composeNetwork<Config extends AnyNetworkConfig, Specs extends SpecTree>(
  config: Config,
  parts: NetworkParts<Specs>,
): ConfiguredNetwork<ParametersOf<Specs>, Config>;
export function composeNetwork(config: AnyNetworkConfig, parts: AnyNetworkParts): AnyNetwork;
export function composeNetwork(config: AnyNetworkConfig, parts: AnyNetworkParts): object {
  const { featureShape, classCount, conditions } = config;
  const network: AnyNetwork = {
    takesGuidance: false,
    hasVelocityHead: false,
    ...parts,
    ...{ config, featureShape, classCount, conditions },
    apply: (params, inputs) => checkOutputs(config.kind, inputs, parts.apply(params, inputs)),
    parameterCount: countParameters(parts.specs),
    init: initialiser(parts.specs),
  };
  return network;
}

/** What a network gave. @throws {ShapeError | ArgumentError} unless it is velocities of the shape of z, before anything is made of them */
function checkOutputs(kind: string, { z }: VelocityInputs, outputs: VelocityOutputs): VelocityOutputs {
  const what = `The network ${quoted(kind)}: apply`;
  if (typeof outputs !== 'object' || outputs === null || outputs instanceof Tensor) {
    throw new ArgumentError(
      `${what} gives { u }, with u as z: ${formatType(z)}; got ${describeValue(outputs)}.`,
    );
  }
  for (const name of ['u', 'v'] as const) {
    const value: unknown = outputs[name];
    if (name === 'v' && value === undefined) continue;
    if (!(value instanceof Tensor)) {
      throw new ArgumentError(`${what} gives ${name}, as z: ${formatType(z)}; got ${describeValue(value)}.`);
    }
    if (value.dtype !== z.dtype || !sameShape(value.shape, z.shape)) {
      throw new ShapeError(`${what} gives ${name} as z, ${formatType(z)}, got ${formatType(value)}.`);
    }
  }
  return outputs;
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
