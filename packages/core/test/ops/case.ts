/** The form of a primitive's test case, and what the cases share. */
import type { HostArray } from '../../src/index.js';
import { wave, type TensorFunction } from '../support/numeric.js';

export interface OpCase {
  readonly name: string;
  readonly f: TensorFunction;
  readonly inputs: readonly HostArray[];
  readonly shape?: readonly number[];
  readonly expected?: readonly number[];
  /** Orders of derivatives to check; none by default. */
  readonly order?: 1 | 2;
}

export const NAN = NaN;
export const INF = Infinity;
export const SPECIAL = [0, -0, 1, -1, 0.5, -2.5, 1e-30, 800, -800, INF, -INF, NAN];

/** All four pairs of truth values. */
export const T = [1, 0, 1, 0];
export const U = [1, 1, 0, 0];

/** An operand of rank 3, and its elements. */
export const x234 = wave([2, 3, 4], 0.2);
export const at = (i: number, j: number, k: number) => x234.data[i * 12 + j * 4 + k];

/** What values at positions become: `[outer][inner]` lists flattened. */
export const table = (sizes: readonly number[], f: (...index: number[]) => number): number[] => {
  const [first, ...rest] = sizes;
  const row = (i: number): number[] =>
    rest.length === 0 ? [f(i)] : table(rest, (...index) => f(i, ...index));
  return Array.from({ length: first }, (_, i) => row(i)).flat();
};
