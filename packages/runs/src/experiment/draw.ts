/** Samples of a model: noise from a key, labels, a solver and a number of evaluations. */
import { ArgumentError, HostArray, type RandomKey, type CancellationSignal } from '@meanflow/core';
import { didYouMean } from '@meanflow/core/validation';
import { proportionalLabels, type Batch } from '@meanflow/data';
import {
  solvers,
  type ParameterTree,
  type SampleRequest,
  type SampleResult,
  type Sampler,
} from '@meanflow/samplers';
import type { Generator, Labels } from './model.js';
import { timesFor } from './solvers.js';

export interface DrawRequest {
  /** How many. */
  readonly count: number;
  /** Of the noise: the same key gives the same starting points to every method. */
  readonly key: RandomKey;
  /** int32 `[count]`. */
  readonly labels: Labels;
  /** What the network declares, float32 `[count, ...shape]` each; none by default. */
  readonly conditions?: Batch['conditions'];
  /** Evaluations of the network; undefined for a solver that chooses its steps. */
  readonly nfe: number | undefined;
  /** The run's own by default. */
  readonly solver?: string;
  /** Also return the points on the way. */
  readonly trajectory?: boolean;
  readonly signal?: CancellationSignal | undefined;
}

/**
 * What is asked of a sampler for samples of a model, normalised as the network makes them.
 *
 * @throws {ArgumentError} when the evaluations are no whole number of the solver's steps
 */
export function drawRequest(
  { network, params, sampling, guidance: kind }: Generator,
  request: DrawRequest,
): SampleRequest<ParameterTree> {
  const { count, key, labels, nfe, trajectory = false, signal } = request;
  const solver = request.solver ?? sampling.solver;
  const { guidance } = sampling;
  const isClassifierFree = guidance !== undefined && kind === 'classifier-free';
  return {
    params,
    noise: key.fold('noise').normal([count, ...network.featureShape]),
    solver: solvers.get(solver),
    times: timesFor({ solver }, nfe, isClassifierFree),
    label: labels,
    ...(request.conditions && { conditions: request.conditions }),
    trajectory,
    // Nothing changes them meanwhile, and a large network's parameters need not lie in memory twice.
    borrow: true,
    ...(signal === undefined ? {} : { signal }),
    ...(guidance === undefined
      ? {}
      : isClassifierFree
        ? { guidance }
        : { condition: { omega: guidance.scale, tMin: guidance.start, tMax: guidance.end } }),
  };
}

/**
 * Draws samples.
 *
 * @throws {ArgumentError} when the evaluations are no whole number of the solver's steps
 * @throws the signal's reason when it is aborted
 */
export async function drawSamples(
  sampler: Sampler<ParameterTree>,
  model: Generator,
  request: DrawRequest,
): Promise<SampleResult> {
  return sampler.sample(drawRequest(model, request));
}

/** The conditions of the rows from `start` up to `end`. */
export function conditionRows(
  conditions: Batch['conditions'] = {},
  start: number,
  end: number,
): Batch['conditions'] {
  return Object.fromEntries(
    Object.entries(conditions).map(([name, array]) => [name, array.rows(start, end)]),
  );
}

/** Labels that go round the classes: 0, 1, …, 0, 1, …; undefined for a model without classes. */
export function roundLabels(model: Pick<Generator, 'network'>, count: number): Labels {
  return labelsLike(model, count, undefined);
}

/**
 * Labels with each class as often as in data; undefined for a model without classes.
 *
 * @param counts rows of each class in the data; undefined, or of other classes than the model's: all alike, in turns
 */
export function labelsLike(
  { network }: Pick<Generator, 'network'>,
  count: number,
  counts: readonly number[] | undefined,
): Labels {
  const { classCount } = network;
  if (classCount === undefined) return undefined;
  return proportionalLabels(counts?.length === classCount ? counts : new Array(classCount).fill(1), count);
}

/** Labels class by class, `each` of every one; undefined for a model without classes. */
export function classByClass({ network }: Pick<Generator, 'network'>, each: number): Labels {
  const { classCount } = network;
  return labelsFrom(classCount, each * (classCount ?? 0), (row) => Math.floor(row / each));
}

function labelsFrom(
  classCount: number | undefined,
  count: number,
  labelOf: (row: number, classes: number) => number,
): Labels {
  if (classCount === undefined) return undefined;
  const labels = Int32Array.from({ length: count }, (_, row) => labelOf(row, classCount));
  return new HostArray('int32', [count], labels);
}

/** Classes that a message names of many. */
const SHOWN_CLASSES = 40;

/**
 * A class by its name; by its place only where classes have no names, for "3" may be the name of another one.
 *
 * @throws {ArgumentError} with the classes there are, and the nearest one
 */
export function classOf(name: string, known: readonly string[] | undefined, classCount: number): number {
  const names = known ?? Array.from({ length: classCount }, (_, label) => String(label));
  const label = names.indexOf(name);
  if (label >= 0) return label;
  const isNumbered = names.every((each, i) => each === String(i));
  const shown =
    names.length <= SHOWN_CLASSES ? names : [...names.slice(0, SHOWN_CLASSES), `… (${names.length})`];
  throw new ArgumentError(
    isNumbered
      ? `There is no class "${name}": they are numbers from 0 to ${names.length - 1}.`
      : `There is no class "${name}".${didYouMean(name, names)} Known are ${shown.join(', ')}.`,
  );
}
