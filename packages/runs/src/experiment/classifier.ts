/**
 * The classifier that images are judged by: one that is named, or else one that is trained once and kept in the cache. It
 * learns from the training rows of the very data that samples are judged against, and is known by a fingerprint of them, by
 * its network and by how it was trained, so that another one is never taken for it.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  Classifier,
  classifierRequest,
  type ClassifierModel,
  type ClassifierTrainingOptions,
} from '@meanflow/classifier';
import { cachedClassifier, dataFingerprint, loadClassifier } from '@meanflow/classifier/node';
import { ArgumentError, DataError, type Backend, type CancellationSignal } from '@meanflow/core';
import type { Progress } from '@meanflow/training';
import type { Dataset } from '@meanflow/data';
import { cacheFolder } from '../cache.js';
import type { RunConfig } from '../config/schema.js';
import { countText } from '../report/numbers.js';
import { featureMetricsAmong } from './features.js';

/** A classifier and the file that holds it. */
export interface JudgingClassifier {
  readonly path: string;
  readonly model: ClassifierModel;
}

/** How a classifier is trained; the defaults are those of `@meanflow/classifier`. */
export type ClassifierSettings = NonNullable<RunConfig['evaluation']['classifier']>;

/** @throws {ArgumentError} when metrics need a classifier, and the data are not what one can learn from */
export function checkClassifiable(metrics: readonly string[], dataset: Dataset): void {
  const [metric] = featureMetricsAmong(metrics);
  if (metric === undefined) return;
  try {
    classifierRequest({ data: dataset });
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    throw new ArgumentError(
      `The metric "${metric}" needs a classifier of the data. ${error.message} Choose other metrics, or judge by a network of ` +
        'your own: `meanflow evaluate --features`.',
      { cause: error },
    );
  }
}

/** Where the training happens and who watches. */
export interface ClassifierWork {
  readonly backend: Backend;
  readonly onProgress?: (progress: Progress) => void;
  /** Told that one is trained, and where it is kept. */
  readonly onNotice: (sentence: string) => void;
  readonly signal?: CancellationSignal | undefined;
}

/** What is asked for: the data, with the SHA-256 of their files where they have such, and how to train. */
export interface ClassifierTask {
  readonly dataset: Dataset;
  readonly digest: string | undefined;
  readonly settings: ClassifierSettings | undefined;
}

/**
 * The classifier of some data, from the cache or trained now and then kept there.
 *
 * @returns undefined when the signal stopped the training
 * @throws {ArgumentError} when the data are not what a classifier learns from
 */
export async function classifierOf(
  task: ClassifierTask,
  work: ClassifierWork,
): Promise<JudgingClassifier | undefined> {
  const request = classifierRequest(requestOf(task));
  const hash = createHash('sha256').update(JSON.stringify(request)).digest('hex').slice(0, 16);
  const name = `classifier-${request.data.replace(/[^A-Za-z0-9.-]+/g, '-')}-${hash}.safetensors`;
  return classifierIn(join(cacheFolder(), name), task, work);
}

/** The same, in a file of one's own choice. @throws {DataError} when the file holds another classifier */
export async function classifierIn(
  path: string,
  task: ClassifierTask,
  { backend, onProgress, onNotice, signal }: ClassifierWork,
): Promise<JudgingClassifier | undefined> {
  const request = requestOf(task);
  const isThere = existsSync(path);
  if (!isThere) {
    const { steps, batchSize } = classifierRequest(request);
    onNotice(
      `Training the classifier that judges ${task.dataset.name}, once: ${countText(steps)} steps of ${batchSize}.`,
    );
  }
  const model = await cachedClassifier(path, {
    ...request,
    backend,
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  });
  if (model === undefined) return undefined;
  onNotice(`${isThere ? 'Classifier' : 'Kept'}: ${path}, ${accuracyText(model)}`);
  return { path, model };
}

/**
 * A classifier from a file, to judge this data.
 *
 * @throws {DataError} when it cannot be read, or learnt from other data
 */
export async function namedClassifier(
  path: string,
  { dataset, digest }: Omit<ClassifierTask, 'settings'>,
): Promise<JudgingClassifier> {
  const model = await loadClassifier(path);
  const { config } = classifierRequest({ data: dataset });
  const facts = ({ imageShape, classCount }: typeof config): string =>
    `images [${imageShape.join(', ')}] of ${classCount} classes`;
  const [found, wanted] = [facts(model.config), facts(config)];
  if (found !== wanted) {
    throw new DataError(
      `${path} is a classifier of ${model.data}, ${found}; "${dataset.name}" has ${wanted}. ` +
        `Train one on it: meanflow train-classifier --data.`,
    );
  }
  if (model.fingerprint !== undefined && model.fingerprint !== dataFingerprint(dataset, digest)) {
    throw new DataError(
      `${path} learnt from ${model.data}, but not from "${dataset.name}" as it is now and is split here. ` +
        `Train one on it: meanflow train-classifier --data.`,
    );
  }
  return { path, model: forLayoutOf(dataset, model) };
}

/** The classifier for images as they lie here, whose parameters are the same for every layout. */
export function forLayoutOf(dataset: Dataset, model: ClassifierModel): ClassifierModel {
  const { layout } = classifierRequest({ data: dataset }).config;
  return { ...model, config: { ...model.config, layout } };
}

/** Compiles a classifier for as long as it is used. */
export async function withClassifier<T>(
  { model }: Pick<JudgingClassifier, 'model'>,
  backend: Backend,
  use: (classifier: Classifier) => Promise<T>,
): Promise<T> {
  const classifier = await Classifier.create(model, backend);
  try {
    return await use(classifier);
  } finally {
    await classifier.dispose();
  }
}

/** What it is worth, in words. */
export function accuracyText({ heldOutAccuracy }: ClassifierModel): string {
  return `right on ${(100 * heldOutAccuracy).toFixed(1)} % of held-out images`;
}

function requestOf({
  dataset,
  digest,
  settings: { steps, batch, seed } = {},
}: ClassifierTask): Omit<ClassifierTrainingOptions, 'backend'> {
  return {
    data: dataset,
    fingerprint: dataFingerprint(dataset, digest),
    ...(steps === undefined ? {} : { steps }),
    ...(batch === undefined ? {} : { batchSize: batch }),
    ...(seed === undefined ? {} : { seed }),
  };
}
