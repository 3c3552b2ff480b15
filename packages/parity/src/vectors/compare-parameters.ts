/**
 * Comparison of parameters, or of gradients in them, with a case's: whole under one prefix, such as `grad/<name>`, and by
 * their Euclidean norms under another, such as `gradnorm/<name>`, where the whole was too large to keep.
 */
import { DataError, HostArray } from '@meanflow/core';
import { arrangePublished, type PublishedParameter } from '@meanflow/models/published';
import { compareNumber, compareTensor } from './compare-outputs.js';
import { at, type ParityCase, type TensorResult } from './parity-case.js';
import { allowance, NORM_ROUNDING, type Tolerance } from './tolerances.js';

/** Elements `[start, end)` of a parameter that cannot be compared as closely as the others, and how far they may be off. */
export interface LooseRange {
  readonly start: number;
  readonly end: number;
  readonly absolute: number;
}

/** What is compared. */
export interface ParameterComparison {
  /** Prefix of whole arrays, without the slash. */
  readonly whole: string;
  /** Prefix of norms. */
  readonly norm: string;
  readonly tolerance: Tolerance;
  readonly loose?: (parameter: PublishedParameter) => LooseRange | undefined;
}

/**
 * Compares.
 *
 * @param computed arrays by path in our tree
 * @throws {DataError} when the case holds nothing under these prefixes, or something for no parameter of the network
 */
export function compareParameters(
  given: ParityCase,
  names: readonly PublishedParameter[],
  computed: Readonly<Record<string, HostArray>>,
  comparison: ParameterComparison,
): TensorResult[] {
  const { whole, norm } = comparison;
  const byName = new Map(names.map((parameter) => [parameter.name, parameter]));
  const results = Object.keys(given.tensors).flatMap((tensor) => {
    const prefix = [whole, norm].find((start) => tensor.startsWith(`${start}/`));
    if (prefix === undefined) return [];
    const parameter = byName.get(tensor.slice(prefix.length + 1));
    if (parameter === undefined)
      throw new DataError(`${given.name}: the network has no parameter for "${tensor}".`);
    const got = computed[parameter.path];
    if (got === undefined) throw new DataError(`${given.name}: nothing here computes "${tensor}".`);
    const compare = prefix === whole ? compareWhole : compareNorm;
    return compare(tensor, given, parameter, got, comparison);
  });
  if (results.length === 0)
    throw new DataError(`${given.name}.safetensors has neither "${whole}/…" nor "${norm}/…".`);
  return results;
}

function compareWhole(
  tensor: string,
  given: ParityCase,
  parameter: PublishedParameter,
  got: HostArray,
  { tolerance, loose }: ParameterComparison,
): TensorResult[] {
  const wanted = arrangePublished(parameter, given.tensors[tensor]!);
  const floor = floorOf(given, tensor);
  const range = loose?.(parameter);
  if (range === undefined) return [compareTensor(tensor, got, wanted, floor, tolerance)];
  const { start, end, absolute } = range;
  const inside = (array: HostArray) => flat([...array.data.slice(start, end)]);
  const outside = (array: HostArray) => flat([...array.data.slice(0, start), ...array.data.slice(end)]);
  return [
    compareTensor(tensor, outside(got), outside(wanted), floor, tolerance),
    compareTensor(`${tensor}[${start}:${end}]`, inside(got), inside(wanted), floor, { absolute }),
  ];
}

function compareNorm(
  tensor: string,
  given: ParityCase,
  parameter: PublishedParameter,
  got: HostArray,
  { tolerance, loose }: ParameterComparison,
): TensorResult[] {
  const wanted = given.tensors[tensor]!.item();
  const range = loose?.(parameter);
  // Norms differ by no more than the norm of the difference.
  const slack = range === undefined ? 0 : range.absolute * Math.sqrt(range.end - range.start);
  const allowed = allowance(tolerance, wanted, undefined) + NORM_ROUNDING * wanted + slack;
  return [compareNumber(tensor, euclideanNorm(got), wanted, allowed, floorOf(given, tensor))];
}

/** The stated difference between float32 and float64. */
function floorOf({ facts }: ParityCase, tensor: string): number | undefined {
  const stated = at(facts, ['noise_f32_vs_f64', tensor, 'max_abs']);
  if (typeof stated === 'number') return stated;
  const listed = at(facts, ['noise_per_param_[max_abs_err,max_abs_value]', tensor]);
  return Array.isArray(listed) && typeof listed[0] === 'number' ? listed[0] : undefined;
}

const flat = (values: readonly number[]) =>
  new HostArray('float32', [values.length], Float32Array.from(values));

function euclideanNorm({ data }: HostArray): number {
  let total = 0;
  for (const value of data) total += value * value;
  return Math.sqrt(total);
}
