/**
 * What goes wrong in float16, told where it shows: parameters that it cannot hold before anything is compiled, and samples
 * that are not finite instead of a black image.
 */
import {
  ArgumentError,
  MeanflowError,
  precisions,
  treePaths,
  type HostArray,
  type Precision,
  type Tree,
} from '@meanflow/core';
import { LARGEST_HALF } from '@meanflow/core/backend';
import { describeValue, leading } from '@meanflow/core/validation';

/** @throws {ArgumentError} unless it is a precision's name */
export function checkPrecision(precision: Precision): void {
  if (precisions.includes(precision)) return;
  throw new ArgumentError(
    `createSampler: precision is ${precisions.join(' or ')}, got ${describeValue(precision)}.`,
  );
}

/** @throws {ArgumentError} when a parameter would be infinite in float16 */
export function checkHalves(params: Tree<HostArray>): void {
  for (const { path, leaf } of treePaths<HostArray>(params)) {
    const i = leaf.data.findIndex((x: number) => Number.isFinite(x) && Math.abs(x) > LARGEST_HALF);
    if (i < 0) continue;
    throw new ArgumentError(
      `createSampler: parameter "${path}" holds ${leaf.data[i]} at element ${i}, beyond float16, whose largest is ${LARGEST_HALF}. ` +
        'Sample this network with precision float32.',
    );
  }
}

/** @throws {MeanflowError} when a sample is not finite, which would show as a black image or not at all */
export function checkFinite(samples: HostArray<'float32'>): void {
  const i = samples.data.findIndex((x) => !Number.isFinite(x));
  if (i < 0) return;
  const [rows] = leading(samples.shape, 1);
  throw new MeanflowError(
    `Sample ${Math.floor((i * rows) / samples.size)} of the batch is not finite (${samples.data[i]}) in float16: the network leaves ` +
      'its range, or its parameters are not finite. Sample it with precision float32.',
  );
}
