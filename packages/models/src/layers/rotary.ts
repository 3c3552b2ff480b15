/**
 * Rotary positions (Su et al., "RoFormer", 2021): each pair of features (2i, 2i + 1) of queries and keys is turned by an
 * angle that grows with the position, so that their products depend on distances. The turn is x ⊙ cos + swap(x) ⊙ sin,
 * where `swap` exchanges the two of a pair and the sine has a minus sign in the first.
 */
import { add, ArgumentError, constant, HostArray, mul, reshape, reverse, type Tensor } from '@meanflow/core';

/** Cosines and signed sines, float64 `[tokens, width]`. */
export interface RotaryTable {
  readonly cos: HostArray<'float64'>;
  readonly sin: HostArray<'float64'>;
}

/**
 * Positions along a sequence: the angle of pair i at position p is p · θ^(−2i / width).
 *
 * @param width of a head; even
 * @param theta θ, 10,000 by default
 * @throws {ArgumentError} when `width` is odd
 */
export function rotaryTable(tokens: number, width: number, theta = 10_000): RotaryTable {
  const frequencies = rotaryFrequencies(width, theta);
  return tableOf(Array.from({ length: tokens }, (_, position) => frequencies.map((f) => position * f)));
}

/**
 * Positions in the plane: the first half of the pairs turns with the row of a patch, the second with its column, each
 * like a sequence of half the width. Tokens before the patches are not turned.
 *
 * @param prefix number of tokens before the patches
 * @param width of a head; divisible by 4
 * @throws {ArgumentError} when it is not
 */
export function rotaryTable2d(
  { prefix, rows, columns }: { readonly prefix: number; readonly rows: number; readonly columns: number },
  width: number,
  theta = 10_000,
): RotaryTable {
  const frequencies = rotaryFrequencies(width / 2, theta);
  const angles = Array.from({ length: prefix }, () => Array.from({ length: width / 2 }, () => 0));
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      angles.push([...frequencies.map((f) => row * f), ...frequencies.map((f) => column * f)]);
    }
  }
  return tableOf(angles);
}

function rotaryFrequencies(width: number, theta: number): number[] {
  if (!Number.isInteger(width / 2)) {
    throw new ArgumentError(
      `Rotary positions turn pairs of features, and ${width} is not a number of pairs.`,
    );
  }
  return Array.from({ length: width / 2 }, (_, i) => theta ** ((-2 * i) / width));
}

/** @param angles of each pair, by token */
function tableOf(angles: readonly (readonly number[])[]): RotaryTable {
  const shape = [angles.length, 2 * (angles[0]?.length ?? 0)];
  const each = (pair: (angle: number) => readonly [number, number]) =>
    new HostArray('float64', shape, Float64Array.from(angles.flatMap((row) => row.flatMap(pair))));
  return {
    cos: each((angle) => [Math.cos(angle), Math.cos(angle)]),
    sin: each((angle) => [-Math.sin(angle), Math.sin(angle)]),
  };
}

/** Turns queries or keys, `[batch, heads, tokens, width]`. */
export function rotate({ cos, sin }: RotaryTable, x: Tensor): Tensor {
  return add(mul(x, constant(cos)), mul(swapPairs(x), constant(sin)));
}

/** Exchanges the features 2i and 2i + 1. */
function swapPairs(x: Tensor): Tensor {
  const pairs = reshape(x, [...x.shape.slice(0, -1), -1, 2]);
  return reshape(reverse(pairs, [-1]), x.shape);
}
