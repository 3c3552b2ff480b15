/** What every network of this package has beside the contract of a velocity network. */
import { ArgumentError, type Shape, type Tree, checkOptions, describeValue } from '@meanflow/core';
import type { ParameterTree, VelocityNetwork } from '@meanflow/samplers';
import type { ParameterSpec } from '../layers/parameters.js';

/** A velocity network, with the configuration that it was made from. */
export interface ConfiguredNetwork<Params extends ParameterTree, Config> extends VelocityNetwork<Params> {
  /** Plain JSON; the same configuration makes the same network. */
  readonly config: Config;
  /** Its parameters before they exist: the tree that `init` makes, with shapes for arrays. */
  readonly specs: Tree<ParameterSpec>;
  /** Number of scalars in its parameters. */
  readonly parameterCount: number;
}

/** Layers are described, and traced, one by one: a network of more is a mistake. */
const MOST_LAYERS = 1000;
const layerCounts: readonly string[] = ['depth', 'blocks'];

/** @throws {ArgumentError} unless every named value is a whole number from 1, and those that count layers are at most 1,000 */
export function checkCounts(values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new ArgumentError(`${name} is a whole number from 1, got ${value}.`);
    }
    if (layerCounts.includes(name) && value > MOST_LAYERS) {
      throw new ArgumentError(`${name} is at most ${MOST_LAYERS}, got ${value}.`);
    }
  }
}

/** What takes memory to make, made when it is first used: a network can be described and counted without it. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** @throws {ArgumentError} unless the shape of a sample holds whole numbers from 1 */
export function checkFeatureShape(shape: Shape): void {
  if (!Array.isArray(shape)) {
    throw new ArgumentError(
      `featureShape is the shape of one sample, such as [2] or [32, 32, 3]; got ${describeValue(shape)}.`,
    );
  }
  if (shape.length === 0) throw new ArgumentError('featureShape needs an axis or more, got [].');
  checkCounts(Object.fromEntries(shape.map((size, axis) => [`featureShape[${axis}]`, size])));
}

/** @throws {ArgumentError} unless the layers that a head has to itself are a whole number from 0 to depth */
export function checkHeadDepth(name: string, headDepth: number, depth: number): void {
  if (!Number.isSafeInteger(headDepth) || headDepth < 0 || headDepth > depth) {
    throw new ArgumentError(
      `${name} is how many of the ${depth} layers the head has to itself, from 0 to ${depth}; got ${headDepth}.`,
    );
  }
}

/** @throws {ArgumentError} unless there is no head, or one with some of `depth` layers to itself */
export function checkVelocityHead(head: { readonly depth: number } | undefined, depth: number): void {
  if (head === undefined) return;
  checkOptions<{ readonly depth: number }>('velocityHead', head, { depth: true });
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
  if (!(mlpRatio < Infinity && Math.floor(mlpRatio * width) >= 1)) {
    throw new ArgumentError(
      `mlpRatio is the hidden units of a block's MLP in multiples of the width, got ${mlpRatio}.`,
    );
  }
}

/** @throws {ArgumentError} unless noise has a positive, finite scale */
export function checkNoiseScale(noiseScale: number): void {
  if (!(noiseScale > 0 && noiseScale < Infinity)) {
    throw new ArgumentError(
      `noiseScale is the standard deviation of z at t = 1, above 0; got ${noiseScale}.`,
    );
  }
}
