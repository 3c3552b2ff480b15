/**
 * Loading what samples are drawn from: a run's checkpoint, or a model file that `meanflow import` wrote. A model file says which
 * network it holds; how published networks are sampled is known by their names.
 */
import { openCheckpoint, openModel } from '@meanflow/checkpoints/node';
import { MODEL_FORMAT, type ModelFacts } from '@meanflow/checkpoints';
import { sizeOf } from '@meanflow/core';
import { noNormalisation } from '@meanflow/data';
import { improvedMeanFlowEvaluation, type AnyNetwork } from '@meanflow/models';
import { stat } from 'node:fs/promises';
import type { SamplingSettings } from '../config/schema.js';
import { loadModel, type DataFacts, type Generator } from './model.js';

/**
 * What samples can be drawn from, by its path.
 *
 * @param path a run's folder, a checkpoint of a run, or a model file
 * @throws {DataError} when it is missing, damaged, or none of these
 */
export async function loadGenerator(path: string): Promise<Generator> {
  if (!(await isModelFile(path))) return (await loadModel(path)).model;
  const { facts, network, params } = await openModel(path);
  return {
    network,
    params,
    data: dataOf(facts, network),
    sampling: samplingOf(facts, network),
    guidance: network.takesGuidance ? 'condition' : undefined,
    origin: facts.name ?? network.config.kind,
  };
}

async function isModelFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  // What is missing, or a folder, is for the loading of runs to judge.
  if (!found?.isFile()) return false;
  const { values } = await openCheckpoint(path);
  return values.some(({ name, value }) => name === 'format' && value === MODEL_FORMAT);
}

/** Published networks were trained on images or latents as they are, whose classes have numbers. */
function dataOf({ name }: ModelFacts, { featureShape, classCount, config }: AnyNetwork): DataFacts {
  const isChannelsFirst = config.kind === 'song-unet';
  const [channels, height, width] = isChannelsFirst
    ? featureShape
    : [featureShape[2], featureShape[0], featureShape[1]];
  return {
    name: name ?? config.kind,
    columns: [],
    featureShape,
    // Four channels are a latent, which is no picture.
    imageShape: channels === 3 || channels === 1 ? [height, width, channels] : undefined,
    classNames:
      classCount === undefined ? undefined : Array.from({ length: classCount }, (_, i) => String(i)),
    normalisation: noNormalisation(sizeOf(featureShape)),
  };
}

/** As published: one step, and improved MeanFlow's guidance of each size (arXiv 2512.02012, reference code). */
function samplingOf({ name }: ModelFacts, { takesGuidance }: AnyNetwork): SamplingSettings {
  const size = /^imf-dit-(\w+)-(\d+)$/.exec(name ?? '');
  const evaluations: Readonly<Record<string, { omega: number; tMin: number; tMax: number }>> =
    improvedMeanFlowEvaluation;
  const known = size === null ? undefined : evaluations[`${size[1].toUpperCase()}/${size[2]}`];
  return {
    solver: 'average-velocity',
    nfe: [1, 2],
    ema: null,
    ...(takesGuidance && known
      ? { guidance: { scale: known.omega, start: known.tMin, end: known.tMax } }
      : {}),
  };
}
