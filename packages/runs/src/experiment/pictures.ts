/** The samples that a report draws: of points the first of those that were judged, of images ten of each class. */
import { type HostArray, type RandomKey, type CancellationSignal } from '@meanflow/core';
import { restoreKnown, type Dataset } from '@meanflow/data';
import type { ParameterTree, Sampler } from '@meanflow/samplers';
import type { RunConfig } from '../config/schema.js';
import type { DatasetPictures, MethodPictures } from '../report/results.js';
import { classByClass, drawSamples, roundLabels, type DrawRequest } from './draw.js';
import { evaluationKey, type Judge, type ModelScores, type ScoreOptions } from './evaluation.js';
import type { Labels, Model } from './model.js';
import { rowsWithin } from './open-data.js';

/** Points in a panel. */
const POINTS = 2000;
/** Trajectories of points in a panel. */
const TRAJECTORIES = 120;
/** Images of each class, and so the columns of a grid. */
const EACH = 10;
/** Classes in a grid of samples. */
const CLASSES = 20;
/** Bytes of the data in which images of each class are looked for. */
const PICTURE_BYTES = 2 ** 26;

/** The data's own picture, and those of the runs that have one. */
export function datasetPictures(
  dataset: Dataset,
  config: RunConfig,
  finished: readonly { readonly pictures: MethodPictures | undefined }[],
): DatasetPictures {
  const { name, columns, imageShape } = dataset;
  const key = evaluationKey(config.seed).fold('picture');
  const most = imageShape === undefined ? POINTS : rowsWithin(PICTURE_BYTES, dataset, EACH * EACH);
  const count = imageShape === undefined ? POINTS : Math.min(dataset.sizes?.train ?? POINTS, most);
  const { x, label } = dataset.reference('train', key, count);
  const data = imageShape === undefined ? x : imagesByClass(x, label, dataset.classCount);
  return {
    dataset: name,
    imageShape,
    columns,
    data,
    methods: finished.flatMap(({ pictures }) => pictures ?? []),
  };
}

/**
 * The pictures of a trained model.
 *
 * @param scores its judged samples, which points are taken from
 * @throws the signal's reason when it is aborted
 */
export async function methodPictures(
  sampler: Sampler<ParameterTree>,
  model: Model,
  scores: readonly ModelScores[],
  { seed, signal, given }: Pick<ScoreOptions, 'seed' | 'signal'> & Partial<Pick<Judge, 'given'>>,
): Promise<MethodPictures> {
  const key = evaluationKey(seed).fold('picture');
  const { method, sampling } = model.config;
  const isImage = model.data.imageShape !== undefined;
  const most = Math.max(...sampling.nfe);
  const samples = isImage
    ? await imageGrids(sampler, model, key, signal, given)
    : scores.map(({ nfe, samples: judged }) => ({ nfe, samples: firstRows(judged, POINTS) }));
  const labels = isImage
    ? classByClass(model, 1)?.rows(0, Math.min(CLASSES, model.network.classCount ?? 0))
    : roundLabels(model, TRAJECTORIES);
  const count = labels?.size ?? (isImage ? EACH : TRAJECTORIES);
  const drawn = await drawSamples(sampler, model, {
    count,
    key: key.fold('trajectory'),
    ...rowsFor(model, count, labels, given),
    nfe: most,
    trajectory: true,
    signal,
  });
  const states = drawn.trajectory ?? [];
  return {
    method,
    samples,
    trajectory: { nfe: drawn.nfe, states: isImage ? spread(states, EACH) : states },
  };
}

async function imageGrids(
  sampler: Sampler<ParameterTree>,
  model: Model,
  key: RandomKey,
  signal: CancellationSignal | undefined,
  given: Judge['given'],
): Promise<{ nfe: number; samples: HostArray }[]> {
  const labels = classByClass(model, EACH)?.rows(0, EACH * Math.min(CLASSES, model.network.classCount ?? 0));
  const count = labels?.size ?? EACH * EACH;
  const grids = [];
  for (const evaluations of model.config.sampling.nfe) {
    const rows = rowsFor(model, count, labels, given);
    const { nfe, samples } = await drawSamples(sampler, model, {
      count,
      key,
      ...rows,
      nfe: evaluations,
      signal,
    });
    grids.push({ nfe, samples: restoreKnown(samples, rows.conditions, model.data.imageShape) });
  }
  return grids;
}

/** What samples of a picture are drawn for: the held-out rows where data have conditions, else the classes. */
function rowsFor(
  { network }: Model,
  count: number,
  labels: Labels,
  given: Judge['given'],
): Pick<DrawRequest, 'labels' | 'conditions'> {
  if (given === undefined) return { labels };
  const { label, conditions } = given(count);
  return { labels: network.classCount === undefined ? undefined : label, conditions };
}

/** The first ten images of each class, class by class, of the first classes where there are many; the first hundred of data without classes. */
function imagesByClass(x: HostArray<'float32'>, label: Labels, classCount = 0): HostArray<'float32'> {
  if (label === undefined) return firstRows(x, EACH * EACH);
  const rows: number[] = [];
  for (let wanted = 0; wanted < Math.min(CLASSES, classCount); wanted++) {
    const found = Array.from(label.data.keys()).filter((row) => label.data[row] === wanted);
    rows.push(...found.slice(0, EACH));
  }
  return x.takeRows(rows);
}

function firstRows(array: HostArray<'float32'>, count: number): HostArray<'float32'> {
  return array.rows(0, Math.min(count, array.shape[0]!));
}

/** At most `count` of the items, evenly spread, with the first and the last. */
function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, i) => items[Math.round((i * (items.length - 1)) / (count - 1))]!);
}
