/** What every network of this package has beside the contract of a velocity network. */
import { ArgumentError, type Shape, type Tree } from '@meanflow/core';
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

/** @throws {ArgumentError} unless every named value is a whole number from 1 */
export function checkCounts(values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new ArgumentError(`${name} is a whole number from 1, got ${value}.`);
    }
  }
}

/** @throws {ArgumentError} unless the shape of a sample holds whole numbers from 1 */
export function checkFeatureShape(shape: Shape): void {
  if (shape.length === 0) throw new ArgumentError('featureShape needs an axis or more, got [].');
  checkCounts(Object.fromEntries(shape.map((size, axis) => [`featureShape[${axis}]`, size])));
}

/** @throws {ArgumentError} unless the auxiliary head's own layers are a whole number from 0 to depth */
export function checkHeadDepth(headDepth: number, depth: number): void {
  if (!Number.isSafeInteger(headDepth) || headDepth < 0 || headDepth > depth) {
    throw new ArgumentError(
      `velocityHead.depth is how many of the ${depth} layers the head has to itself, from 0 to ${depth}; got ${headDepth}.`,
    );
  }
}
