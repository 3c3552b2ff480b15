/** Sums over any axes as nodes of the native library's operator `Sum`, one for each stretch of neighbouring axes. */
import type { Shape } from '@meanflow/core';
import { stretches } from '../lowerings/sums.js';
import { MEANFLOW_DOMAIN, type ValueName } from '../onnx/model.js';
import { ints, type ModelBuilder } from '../onnx/model-builder.js';

/**
 * @param x where the elements lie; under which shape does not matter
 * @param shape of the operand, float32, with elements
 * @param threads of the session
 * @returns the sum; undefined where no axis is longer than 1, so that nothing is summed
 */
export function lowerSum(
  builder: ModelBuilder,
  x: ValueName,
  shape: Shape,
  axes: readonly number[],
  threads: number,
): ValueName | undefined {
  const output = shape.filter((_, axis) => !axes.includes(axis));
  const all = stretches(shape, axes);
  if (all.length === 0) return undefined;
  return all.reduce((terms, { before, size, after }, i) => {
    const result = i === all.length - 1 ? output : [before, after];
    return builder.node('Sum', [terms], {
      domain: MEANFLOW_DOMAIN,
      attributes: { sizes: ints([threads, before, size, after]), shape: ints(result) },
      type: { dtype: 'float32', shape: result },
    });
  }, x);
}
