/** Maxima over arrays; NaN counts for nothing. */
import type { HostArray } from '@meanflow/core';

/** max |xᵢ|, 0 for no elements. */
export function largestMagnitude({ data }: HostArray): number {
  let largest = 0;
  for (const x of data) if (Math.abs(x) > largest) largest = Math.abs(x);
  return largest;
}

/** max |aᵢ − bᵢ| of arrays of one size. */
export function largestDistance(a: HostArray, b: HostArray): number {
  let largest = 0;
  for (let i = 0; i < a.size; i++) largest = Math.max(largest, Math.abs(a.data[i]! - b.data[i]!));
  return largest;
}
