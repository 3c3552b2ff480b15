/**
 * Comparison of computed outputs with a case's: with `out64/…`, the float64 result, where it is there, and with `out/…`
 * otherwise. Every output of the case must have been computed: none passes by not being looked at.
 */
import { DataError, formatShape, sameShape, type HostArray } from '@meanflow/core';
import { at, type ParityCase, type TensorResult } from './parity-case.js';

/**
 * The tolerance of a tensor: `floors` times its stated float32 floor, and `roundings` of its largest element in float32,
 * since both results are stored so.
 */
export interface OutputTolerance {
  readonly floors: number;
  readonly roundings: number;
}

/** For what is computed on the host in float64 and rounded once. */
export const HOST_TOLERANCE: OutputTolerance = { floors: 8, roundings: 4 };

/**
 * Compares.
 *
 * @param computed by name without `out/`
 */
export function compareOutputs(
  given: ParityCase,
  computed: Readonly<Record<string, HostArray>>,
  tolerance: OutputTolerance,
): TensorResult[] {
  const outputs = Object.keys(given.tensors).filter((name) => name.startsWith('out/'));
  if (outputs.length === 0) throw new DataError(`${given.name}.safetensors has no outputs to compare with.`);
  return outputs.map((name) => {
    const short = name.slice('out/'.length);
    const wanted = given.tensors[`out64/${short}`] ?? given.tensors[name];
    const stated = at(given.facts, ['noise_f32_vs_f64', name, 'max_abs']);
    const floor = typeof stated === 'number' ? stated : undefined;
    const got = computed[short];
    if (got === undefined) {
      throw new DataError(`${given.name}: nothing here computes "${name}".`);
    }
    return compareTensor(name, got, wanted, floor, tolerance);
  });
}

function compareTensor(
  tensor: string,
  got: HostArray,
  wanted: HostArray,
  floor: number | undefined,
  { floors, roundings }: OutputTolerance,
): TensorResult {
  if (!sameShape(got.shape, wanted.shape)) {
    const shapes = `${formatShape(got.shape)}, published ${formatShape(wanted.shape)}`;
    throw new DataError(`"${tensor}" has shape ${shapes}.`);
  }
  let error = 0;
  let largest = 0;
  for (let i = 0; i < wanted.size; i++) {
    const distance = Math.abs(got.data[i] - wanted.data[i]);
    // A NaN on either side is as wrong as can be.
    error = Math.max(error, Number.isNaN(distance) ? Infinity : distance);
    largest = Math.max(largest, Math.abs(wanted.data[i]));
  }
  const isFloat = wanted.dtype === 'float32' || wanted.dtype === 'float64';
  const allowed = isFloat ? floors * (floor ?? 0) + roundings * 2 ** -24 * largest : 0;
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
