/**
 * Operands that broadcast, in as few axes as they need: neighbouring axes along which each operand is either repeated
 * or not are one. tfjs's kernels take few axes (XNNPACK's six, beyond which they compute nothing and warn), and are
 * faster the fewer they are given.
 */
import { sizeOf, type Shape } from '@meanflow/core';
import { each, type Operands } from '@meanflow/core/backend';
import type { StoredValue } from '../program/program.js';
import { reshaped } from '../schedule.js';
import type { Emitter } from './emitter.js';

/** Axes that every kernel takes. */
const MAX_AXES = 4;

/** The operands under shapes that broadcast to `shape` (by size) along few axes, and that shape. */
export function withFewAxes(
  emitter: Emitter,
  operands: Operands<2, StoredValue>,
  shape: Shape,
): { operands: Operands<2, StoredValue>; shape: number[] } {
  const isRepeated = ({ shape: own }: StoredValue, axis: number): boolean => {
    const at = axis - (shape.length - own.length);
    return at < 0 || own[at] === 1;
  };
  const merged: { size: number; repeated: readonly boolean[] }[] = [];
  for (const [axis, size] of shape.entries()) {
    if (size === 1) continue;
    const repeated = operands.map((operand) => isRepeated(operand, axis));
    const last = merged.at(-1);
    if (last !== undefined && last.repeated.every((flag, i) => flag === repeated[i])) {
      merged[merged.length - 1] = { size: last.size * size, repeated };
    } else merged.push({ size, repeated });
  }
  if (merged.length > MAX_AXES) {
    const flat = [sizeOf(shape)];
    return {
      operands: each(operands, (operand) => reshaped(emitter.broadcast(operand, shape), flat)),
      shape: flat,
    };
  }
  return {
    operands: each(operands, (operand, i) =>
      reshaped(
        operand,
        merged.map(({ size, repeated }) => (repeated[i] ? 1 : size)),
      ),
    ),
    shape: merged.map(({ size }) => size),
  };
}
