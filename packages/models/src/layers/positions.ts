/** Fixed positions of patches: sines and cosines of their column and row (Vaswani et al., 2017; in two dimensions, He et al., 2022). */
import { ArgumentError, HostArray } from '@meanflow/core';

/** @throws {ArgumentError} when `width` is not divisible by 4 */
export function checkPositionsWidth(width: number): void {
  if (width % 4 !== 0)
    throw new ArgumentError(`Positions of patches need a width divisible by 4, got ${width}.`);
}

/**
 * For a patch at (row, column): sin and cos of column · fᵢ in the first half of the features, of row · fᵢ in the second,
 * with fᵢ = 10,000^(−i / (width/4)) for i = 0 … width/4 − 1.
 *
 * @param width of the features; divisible by 4
 * @returns float64 `[rows · columns, width]`, row by row
 * @throws {ArgumentError} when `width` is not divisible by 4
 */
export function sinusoidalPositions(rows: number, columns: number, width: number): HostArray<'float64'> {
  checkPositionsWidth(width);
  const count = width / 4;
  const frequencies = Array.from({ length: count }, (_, i) => 10_000 ** (-i / count));
  const data = new Float64Array(rows * columns * width);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const start = (row * columns + column) * width;
      frequencies.forEach((frequency, i) => {
        data[start + i] = Math.sin(column * frequency);
        data[start + count + i] = Math.cos(column * frequency);
        data[start + 2 * count + i] = Math.sin(row * frequency);
        data[start + 3 * count + i] = Math.cos(row * frequency);
      });
    }
  }
  return new HostArray('float64', [rows * columns, width], data);
}
