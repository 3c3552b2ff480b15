/**
 * What ops give where languages and devices differ, each decided once, after JAX: conversion beyond int32, powers of
 * special numbers, rows that a table does not have, the maximum of nothing. A backend whose device does otherwise takes
 * these, or mends its result until it agrees.
 */
import type { DType } from './types.js';

const LEAST_INT32 = -(2 ** 31);
const GREATEST_INT32 = 2 ** 31 - 1;

/** A number as int32: toward zero, beyond the range the nearest int32, of NaN 0. */
export function toInt32(x: number): number {
  if (x >= GREATEST_INT32) return GREATEST_INT32;
  return x <= LEAST_INT32 ? LEAST_INT32 : Math.trunc(x) | 0;
}

/** aᵇ as C and IEEE 754 have it. JavaScript differs: to it 1 to the NaN and ±1 to the ±∞ are NaN, not 1. */
export const power = (a: number, b: number): number =>
  a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b;

/** The elements of a row that a table does not have: NaN, the least int32, true. */
export const MISSING: Readonly<Record<DType, number>> = {
  float32: NaN,
  float16: NaN,
  int32: LEAST_INT32,
  bool: 1,
};

/** The maximum of no elements, by dtype: the least number there is. */
export const MAX_OF_NOTHING: Readonly<Record<Exclude<DType, 'bool'>, number>> = {
  float32: -Infinity,
  float16: -Infinity,
  int32: LEAST_INT32,
};

/** What an op makes of operands without elements, where its result has some: all sum, but for two. */
export function ofNothing(op: string, dtype: DType, attributes: unknown): number {
  if (op === 'reduceMax') return MAX_OF_NOTHING[dtype as Exclude<DType, 'bool'>];
  return op === 'gather' ? (attributes as { readonly fill: number }).fill : 0;
}
