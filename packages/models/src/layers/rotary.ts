/**
 * Rotary positions (Su et al., "RoFormer", 2021): each pair of features (2i, 2i + 1) of queries and keys is turned by an
 * angle that grows with the position, so that their products depend on distances. The turned features come in another order,
 * first those of all pairs, then the second ones: products of queries and keys do not see it, and it saves putting pairs
 * together again.
 */
import {
  add,
  ArgumentError,
  concat,
  constant,
  HostArray,
  mul,
  reshape,
  slice,
  sub,
  type Tensor,
} from '@meanflow/core';

/** Cosines and sines of each pair, float64 `[tokens, width / 2]`. */
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

/** @throws {ArgumentError} unless features of that width along a sequence are pairs */
export function checkRotaryWidth(width: number): void {
  if (!Number.isInteger(width / 2)) {
    throw new ArgumentError(
      `Rotary positions turn pairs of features, and ${width} is not a number of pairs.`,
    );
  }
}

function rotaryFrequencies(width: number, theta: number): number[] {
  checkRotaryWidth(width);
  return Array.from({ length: width / 2 }, (_, i) => theta ** ((-2 * i) / width));
}

/** @param angles of each pair, by token */
function tableOf(angles: readonly (readonly number[])[]): RotaryTable {
  const shape = [angles.length, angles[0]?.length ?? 0];
  const each = (f: (angle: number) => number) =>
    new HostArray('float64', shape, Float64Array.from(angles.flat(), f));
  return { cos: each(Math.cos), sin: each(Math.sin) };
}

/** Turns queries or keys, `[batch, heads, tokens, width]`. */
export function rotate({ cos, sin }: RotaryTable, x: Tensor): Tensor {
  const halves = [...x.shape.slice(0, -1), x.shape[x.rank - 1]! / 2];
  const pairs = reshape(x, [...halves, 2]);
  const member = (index: 0 | 1): Tensor => {
    const part = slice(pairs, [...halves.map(() => 0), index], [...halves, index + 1]);
    return reshape(part, halves);
  };
  const [first, second, c, s] = [member(0), member(1), constant(cos), constant(sin)];
  return concat([sub(mul(first, c), mul(second, s)), add(mul(first, s), mul(second, c))], -1);
}
