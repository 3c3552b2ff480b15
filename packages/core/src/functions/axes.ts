/** Axes as users give them, made non-negative and checked. */
import { ArgumentError } from '../errors.js';

/** One axis counted from the end when negative. @throws {ArgumentError} when out of range */
export function normalizeAxis(axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new ArgumentError(`axis ${axis} is out of range for a tensor of rank ${rank}.`);
  }
  return axis < 0 ? axis + rank : axis;
}

/** Sorted distinct axes, counted from the end when negative; all of them by default. */
export function normalizeAxes(axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const normalized = [axes].flat().map((axis) => normalizeAxis(axis, rank));
  if (new Set(normalized).size !== normalized.length) {
    throw new ArgumentError(`axes [${[axes].flat().join(', ')}] name an axis twice.`);
  }
  return normalized.sort((a, b) => a - b);
}
