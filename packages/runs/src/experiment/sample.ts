/**
 * Samples of a model as somebody asks for them: so many, of these classes, from this seed, at so many evaluations. What is asked for is
 * checked before anything is computed.
 */
import {
  ArgumentError,
  HostArray,
  RandomKey,
  precisions,
  type Backend,
  type CancellationSignal,
  type Precision,
} from '@meanflow/core';
import { checkOptions, describeValue } from '@meanflow/core/validation';
import { denormalise, proportionalLabels, restoreKnown, type Batch } from '@meanflow/data';
import { createDecoder, createSampler, type SamplerProgress } from '@meanflow/samplers';
import { classOf, conditionRows, drawRequest, roundLabels } from './draw.js';
import { withGuidance } from './guidance.js';
import type { Generator, Labels } from './model.js';
import { defaultEvaluations } from './solvers.js';

/** What samples to draw; what is not said is the model's own. */
export interface SampleChoice {
  /** How many; 1,000, or 100 where they are images, or 16 of a published model. */
  readonly count?: number | undefined;
  /** Only these classes, by name (by number where they have no names), which take turns; all of them by default. */
  readonly class?: string | number | readonly (string | number)[] | undefined;
  /** How often samples have each class: all alike (the default), or as the data has it; or the class of each row. */
  readonly labels?: 'uniform' | 'data' | Labels;
  /** What the model is given, float32 `[count, ...shape]` each, normalised; none by default. */
  readonly conditions?: Batch['conditions'];
  /** Of the noise; 0 by default. The same seed gives the same samples, whatever computes them. */
  readonly seed?: number | undefined;
  /** Network evaluations for each sample; the fewest that the model was made for by default. */
  readonly nfe?: number | undefined;
  readonly solver?: string | undefined;
  /** Guidance scale ω, where the model was trained for it; 1 is none. */
  readonly guidance?: number | undefined;
  /** Times between which guidance applies. */
  readonly guidanceInterval?: readonly [number, number] | undefined;
  /** Samples that are computed at once, which decides the memory. */
  readonly batchSize?: number | undefined;
  /** What products are computed in; float32 by default. In `float16` parameters are given to the device as float16; a decoder stays float32. */
  readonly precision?: Precision | undefined;
}

/** A choice that was checked. */
export interface SamplePlan {
  /** With the guidance that was asked for. */
  readonly model: Generator;
  readonly count: number;
  readonly labels: Labels;
  readonly conditions: Batch['conditions'];
  readonly seed: number;
  /** Undefined for a solver that chooses its steps. */
  readonly nfe: number | undefined;
  readonly solver: string;
  readonly batchSize: number | undefined;
  readonly precision: Precision;
}

/** Samples that were drawn. */
export interface Samples {
  /** float32 `[count, ...features]`, as the network makes them. */
  readonly normalised: HostArray<'float32'>;
  /** float64 `[count, ...shape]`, in the units of the data: of images `[count, height, width, channels]`, from 0 to 255. */
  readonly values: HostArray<'float64'>;
  /** The class of each, int32 `[count]`; undefined for a model without classes. */
  readonly labels: Labels;
  /** Evaluations for each sample, as the sampler counted them. */
  readonly nfe: number;
}

/** How many samples are drawn where nobody says. */
export function defaultCount({ data, atOnce }: Generator): number {
  return atOnce ?? (data.imageShape === undefined ? 1000 : 100);
}

/**
 * Checks what is asked for.
 *
 * @throws {ArgumentError} when an option is unknown, or no number that it can be; when the model has no such class, was not made for
 *   guidance, or evaluations and solver do not fit
 */
export function planSamples(model: Generator, choice: SampleChoice): SamplePlan {
  checkOptions<SampleChoice>('sample', choice, {
    count: true,
    class: true,
    labels: true,
    conditions: true,
    seed: true,
    nfe: true,
    solver: true,
    guidance: true,
    guidanceInterval: true,
    batchSize: true,
    precision: true,
  });
  checkWhole('count', choice.count);
  checkWhole('batchSize', choice.batchSize);
  checkWhole('nfe', choice.nfe);
  const { seed = 0, batchSize = model.atOnce, precision = 'float32' } = choice;
  if (!precisions.includes(precision)) {
    throw new ArgumentError(
      `sample: precision is ${precisions.join(' or ')}, got ${describeValue(precision)}.`,
    );
  }
  const solver = choice.solver ?? model.sampling.solver;
  const nfe = choice.nfe ?? (solver === 'dormand-prince' ? undefined : defaultEvaluations(model));
  const labels = labelsFor(model, choice);
  const count = labels?.size ?? choice.count ?? defaultCount(model);
  const { conditions } = choice;
  const guided = withGuidance(model, nfe, choice);
  return { model: guided, count, labels, conditions, seed, nfe, solver, batchSize, precision };
}

/** Who watches while samples are drawn, and how that is stopped. */
export interface DrawOptions {
  readonly signal?: CancellationSignal | undefined;
  readonly onProgress?: ((progress: SamplerProgress) => void) | undefined;
}

/**
 * Draws the samples of a plan.
 *
 * @throws the signal's reason when it is aborted
 */
export async function drawPlanned(
  plan: SamplePlan,
  backend: Backend,
  options: DrawOptions = {},
): Promise<Samples> {
  const chunks: Samples[] = [];
  for await (const chunk of streamPlanned(plan, backend, options)) chunks.push(chunk);
  const nfe = chunks.reduce((sum, chunk) => sum + chunk.nfe * chunk.normalised.shape[0]!, 0) / plan.count;
  return inUnits(
    plan.model,
    HostArray.joinRows(chunks.map(({ normalised }) => normalised)),
    plan.labels,
    nfe,
  );
}

/**
 * Draws the samples of a plan, so many at once as fit on the device, each chunk as soon as it is there.
 *
 * @throws the signal's reason when it is aborted
 */
export async function* streamPlanned(
  { model, count, labels, conditions, seed, nfe, solver, batchSize, precision }: SamplePlan,
  backend: Backend,
  { signal, onProgress }: DrawOptions = {},
): AsyncGenerator<Samples, void, undefined> {
  await using sampler = createSampler(backend, model.network, {
    ...{ params: model.params, borrow: true, precision, onProgress },
    ...(batchSize !== undefined && { batchSize }),
  });
  const { decoder } = model;
  await using decoding =
    decoder && createDecoder(backend, decoder, { batchSize: decoder.rows, borrow: true });
  const key = RandomKey.fromSeed(seed).fold('sample');
  const request = drawRequest(model, { count, key, labels, conditions, nfe, solver, signal });
  let start = 0;
  for await (const { samples, label, nfe: made } of sampler.stream(request)) {
    const own = conditionRows(conditions, start, (start += samples.shape[0]!));
    const normalised =
      (await decoding?.decode(samples, signal && { signal })) ??
      restoreKnown(samples, own, model.data.imageShape);
    yield inUnits(model, normalised, label?.to('int32'), made);
  }
}

function checkWhole(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) return;
  throw new ArgumentError(`sample: ${name} is a whole number from 1, got ${describeValue(value)}.`);
}

/** Samples beside what they are in the units of the data, which are made when they are first asked for, and kept. */
function inUnits(
  { data: { normalisation, imageShape, featureShape } }: Generator,
  normalised: HostArray<'float32'>,
  labels: Labels,
  nfe: number,
): Samples {
  let values: HostArray<'float64'> | undefined;
  return {
    normalised,
    get values() {
      const shape = [normalised.shape[0]!, ...(imageShape ?? featureShape)];
      return (values ??= new HostArray('float64', shape, denormalise(normalisation, normalised).data));
    },
    labels,
    nfe,
  };
}

function labelsFor(model: Generator, { class: chosen, labels: how, count: asked }: SampleChoice): Labels {
  const { network, data } = model;
  const { classCount } = network;
  if (classCount === undefined) {
    if (chosen !== undefined || how !== undefined) {
      throw new ArgumentError(`The model knows no classes: it was trained on ${data.name} without them.`);
    }
    return undefined;
  }
  if (how instanceof HostArray) return how;
  const count = asked ?? defaultCount(model);
  const named = chosen === undefined || typeof chosen === 'object' ? chosen : [chosen];
  const classes = named?.map((name) => classOf(String(name), data.classNames, classCount));
  if (how === 'data') {
    const counts = classCountsOf(model);
    return proportionalLabels(
      counts.map((rows, label) => (classes === undefined || classes.includes(label) ? rows : 0)),
      count,
    );
  }
  if (classes === undefined) return roundLabels(model, count);
  const taken = Int32Array.from({ length: count }, (_, i) => classes[i % classes.length]!);
  return new HostArray('int32', [count], taken);
}

/** @throws {ArgumentError} when the model does not record how often its data has each class */
function classCountsOf({ data }: Generator): readonly number[] {
  if (data.classCounts !== undefined) return data.classCounts;
  throw new ArgumentError(
    `The model does not record how often ${data.name} has each class, as data that are drawn afresh, imported models and ` +
      'checkpoints of earlier versions do not: leave --labels out, or name classes with --class.',
  );
}
