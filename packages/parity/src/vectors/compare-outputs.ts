/**
 * Comparison of computed outputs with a case's: with `out64/…`, the float64 result, where it is there, and with `out/…`
 * otherwise. Every output of the case must have been computed: none passes by not being looked at.
 */
import { DataError, sameShape, type HostArray } from '@meanflow/core';
import { formatShape } from '@meanflow/core/validation';
import { at, type ParityCase, type TensorResult } from './parity-case.js';
import { allowance, type Tolerance } from './tolerances.js';

/**
 * Compares.
 *
 * @param computed by name without `out/`
 */
export function compareOutputs(
  given: ParityCase,
  computed: Readonly<Record<string, HostArray>>,
  tolerance: Tolerance,
): TensorResult[] {
  const outputs = Object.keys(given.tensors).filter((name) => name.startsWith('out/'));
  if (outputs.length === 0) throw new DataError(`${given.name}.safetensors has no outputs to compare with.`);
  return outputs.map((name) => {
    const short = name.slice('out/'.length);
    const wanted = given.tensors[`out64/${short}`] ?? given.tensors[name]!;
    const stated = at(given.facts, ['noise_f32_vs_f64', name, 'max_abs']);
    const floor = typeof stated === 'number' ? stated : undefined;
    const got = computed[short];
    if (got === undefined) {
      throw new DataError(`${given.name}: nothing here computes "${name}".`);
    }
    return compareTensor(name, got, wanted, floor, tolerance);
  });
}

/** Compares an array with a published one. @throws {DataError} when their shapes differ */
export function compareTensor(
  tensor: string,
  got: HostArray,
  wanted: HostArray,
  floor: number | undefined,
  tolerance: Tolerance,
): TensorResult {
  // Scalars are published with an axis of size 1, or without.
  if (!sameShape(got.shape, wanted.shape) && !(got.size === 1 && wanted.size === 1)) {
    const shapes = `${formatShape(got.shape)}, published ${formatShape(wanted.shape)}`;
    throw new DataError(`"${tensor}" has shape ${shapes}.`);
  }
  let error = 0;
  let largest = 0;
  for (let i = 0; i < wanted.size; i++) {
    const distance = Math.abs(got.data[i]! - wanted.data[i]!);
    // A NaN on either side is as wrong as can be.
    error = Math.max(error, Number.isNaN(distance) ? Infinity : distance);
    largest = Math.max(largest, Math.abs(wanted.data[i]!));
  }
  const isFloat = wanted.dtype === 'float32' || wanted.dtype === 'float64';
  const allowed = isFloat ? allowance(tolerance, largest, floor) : 0;
  return { tensor, error, floor, tolerance: allowed, passed: error <= allowed };
}

/** Compares two numbers. */
export function compareNumber(
  tensor: string,
  got: number,
  wanted: number,
  tolerance: number,
  floor?: number,
): TensorResult {
  const error = Math.abs(got - wanted);
  return { tensor, error: Number.isNaN(error) ? Infinity : error, floor, tolerance, passed: error <= tolerance };
} // prettier-ignore
