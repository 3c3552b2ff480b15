/**
 * The parameters of a published model as its authors write them: which of our parameters each one is, its name and
 * shape there, and how its array becomes ours. From it come importers, exporters and the comparison with published
 * names and counts. Nothing here allocates an array.
 */
import { ArgumentError, sameShape, type HostArray, type Shape } from '@meanflow/core';
import type { ParameterSpec } from '../layers/parameters.js';

/** Whose names: the JAX code's (slashes, kernels `[in, out]`), or the PyTorch code's (dots, weights `[out, in]`). */
export type PublishedSource = 'jax' | 'torch';

/**
 * How a published array becomes ours. `same`: the same elements in the same order. `transpose`: `[out, in]` becomes
 * `[in, out]`. `oihw-to-hwio`: the kernel of a convolution, `[out, in, height, width]`, becomes `[height, width, in,
 * out]`. A published array may have axes of size 1 beside these: it is first read as `publishedShape(layout, ownShape)`.
 */
export type ParameterLayout = 'same' | 'transpose' | 'oihw-to-hwio';

export interface PublishedParameter {
  /** Path in our tree, as `treePaths` gives it. */
  readonly path: string;
  /** Name in the published code. */
  readonly name: string;
  /** Shape in the published code. */
  readonly shape: Shape;
  /** Shape in our tree. */
  readonly ownShape: Shape;
  /** How the published array becomes ours. */
  readonly layout: ParameterLayout;
}

/** What the published code makes of one of our parameters. */
export type PublishedNames = (
  path: string,
  spec: ParameterSpec,
) => Omit<PublishedParameter, 'path' | 'ownShape'>;

/**
 * A constant of a network that published code keeps beside its parameters. A checkpoint that carries one was trained with what
 * it holds, so that an importer compares it with what the network computes here.
 */
export interface PublishedBuffer {
  readonly name: string;
  readonly shape: Shape;
  /** What it holds, whatever the parameters are. */
  readonly value: HostArray<'float32'>;
  /** What it is, for people. */
  readonly meaning: string;
}

/** Axes of the published array in our order, as `transpose` takes them; undefined where nothing moves. */
export function layoutPermutation(layout: ParameterLayout): readonly number[] | undefined {
  return { same: undefined, transpose: [1, 0], 'oihw-to-hwio': [2, 3, 1, 0] }[layout];
}

/**
 * The published shape of a parameter of ours, but for axes of size 1.
 *
 * @throws {ArgumentError} when the layout has another number of axes
 */
export function publishedShape(layout: ParameterLayout, ownShape: Shape): Shape {
  const permutation = layoutPermutation(layout);
  if (permutation === undefined) return ownShape;
  if (permutation.length !== ownShape.length) {
    throw new ArgumentError(
      `Layout "${layout}" moves ${permutation.length} axes, the parameter is [${ownShape.join(', ')}].`,
    );
  }
  return permutation.map((_, axis) => ownShape[permutation.indexOf(axis)]!);
}

/** Whether two shapes differ in axes of size 1 at most. */
export function sameUpToOnes(a: Shape, b: Shape): boolean {
  const essential = (shape: Shape) => shape.filter((size) => size !== 1);
  return sameShape(essential(a), essential(b));
}
