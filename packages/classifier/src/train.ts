/**
 * Training a classifier: Adam with a cosine schedule, on labelled images that a key and a step decide, so that a seed
 * gives the same classifier again on the same backend. It ends with the accuracy on held-out images, which is kept with
 * the classifier: what it says of samples is worth no more than that.
 */
import { ArgumentError, type Backend, type HostArray, RandomKey, type Shape, sizeOf } from '@meanflow/core';
import { checkLabels, leading } from '@meanflow/core/validation';
import { classAccuracy } from '@meanflow/metrics';
import { adam, cosineSchedule, train, Trainer, warmUpSchedule, type Progress } from '@meanflow/training';
import { Classifier, type ClassifierModel } from './classifier.js';
import { classifierNetwork, type ClassifierConfig } from './network.js';
import { crossEntropy, type LabelledImages } from './objective.js';

/** Images, with classes where there are such. */
export interface SourceImages {
  readonly x: HostArray<'float32'>;
  readonly label: HostArray<'int32'> | undefined;
}

/** The part of a dataset that the classifier learns from; those of `@meanflow/data` fit. */
export interface LabelledSource {
  readonly name: string;
  /** `[height, width, channels]`, `[channels, height, width]`, or the former flattened. */
  readonly featureShape: Shape;
  readonly imageShape: Shape | undefined;
  readonly classCount: number | undefined;
  batch(key: RandomKey, step: number, size: number): SourceImages;
  reference(split: 'train' | 'test', key: RandomKey, count: number): SourceImages;
}

export interface ClassifierTrainingOptions {
  readonly backend: Backend;
  readonly data: LabelledSource;
  /** What identifies the data beyond their name, to be kept with the classifier: `dataFingerprint` of `/node`. */
  readonly fingerprint?: string;
  /** Decides initial parameters and batches; 0 by default. */
  readonly seed?: number;
  /** Updates; 600 by default, less than a minute on one processor core for 16×16 pixels. */
  readonly steps?: number;
  /** Images in a batch; 128 by default. */
  readonly batchSize?: number;
  /** The highest learning rate; 4e-3 by default, which did better than half of it. */
  readonly learningRate?: number;
  /** Changes to the network. */
  readonly network?: Pick<ClassifierConfig, 'width' | 'featureCount'>;
  readonly onProgress?: (progress: Progress) => void;
  /** Stops after the current step. */
  readonly signal?: { readonly aborted: boolean };
}

const DEFAULTS = { seed: 0, steps: 600, batchSize: 128, learningRate: 4e-3 } as const;
const WARM_UP = 50;
/** Held-out images that the accuracy is measured on: it is known to about half a percent then. */
const HELD_OUT = 2000;

/**
 * Trains a classifier on a dataset.
 *
 * @returns undefined when the signal stopped it
 * @throws {ArgumentError} when the data are no images with classes, or their sides do not fit the network
 * @throws {DivergenceError} when the loss is not finite
 */
export async function trainClassifier(
  options: ClassifierTrainingOptions,
): Promise<ClassifierModel | undefined> {
  const { backend, data, onProgress, signal } = options;
  const request = classifierRequest(options);
  const { config, seed, steps, batchSize, learningRate } = request;
  const warmUp = Math.min(WARM_UP, Math.floor(steps / 4));
  const trainer = await Trainer.create({
    backend,
    network: classifierNetwork(config),
    objective: crossEntropy,
    optimizer: adam({
      learningRate: warmUpSchedule(cosineSchedule(learningRate, 0, steps - warmUp), warmUp),
    }),
    data: { batch: (key, step, size) => labelled(data, data.batch(key.fold('classifier'), step, size)) },
    batchSize,
    seed,
  });
  try {
    const { completed } = await train(trainer, {
      steps,
      ...(onProgress && { onProgress }),
      ...(signal && { signal }),
    });
    if (!completed) return undefined;
    const model = { ...request, params: await trainer.parameters(), heldOutAccuracy: 0 };
    return { ...model, heldOutAccuracy: await heldOutAccuracy(model, data, backend) };
  } finally {
    await trainer.dispose();
  }
}

/** All that decides a classifier, as plain JSON. */
export type ClassifierRequest = Omit<ClassifierModel, 'params' | 'heldOutAccuracy'>;

/**
 * What the options ask for, every default resolved.
 *
 * @throws {ArgumentError} when the data are no images with classes, or their sides do not fit the network
 */
export function classifierRequest({
  data,
  fingerprint,
  network,
  seed = DEFAULTS.seed,
  steps = DEFAULTS.steps,
  batchSize = DEFAULTS.batchSize,
  learningRate = DEFAULTS.learningRate,
}: Omit<ClassifierTrainingOptions, 'backend'>): ClassifierRequest {
  const { imageShape, classCount } = data;
  if (imageShape?.length !== 3 || classCount === undefined || classCount < 2) {
    throw new ArgumentError(
      `A classifier learns from images with at least two classes, and "${data.name}" holds ` +
        `${imageShape === undefined ? 'no images' : `${classCount ?? 'no'} classes of images ${String(data.featureShape)}`}.`,
    );
  }
  const [height, width, channels] = leading(imageShape, 3);
  const isFlat = data.featureShape.join() === String(sizeOf(imageShape));
  const layout = isFlat || data.featureShape.join() === imageShape.join() ? 'nhwc' : 'nchw';
  const config: ClassifierConfig = { ...network, imageShape: [height, width, channels], layout, classCount };
  classifierNetwork(config);
  const known = fingerprint === undefined ? {} : { fingerprint };
  return { data: data.name, ...known, config, seed, steps, batchSize, learningRate };
}

async function heldOutAccuracy(
  model: ClassifierModel,
  data: LabelledSource,
  backend: Backend,
): Promise<number> {
  const key = RandomKey.fromSeed(model.seed).fold('classifier');
  const { x, label } = labelled(data, data.reference('test', key, HELD_OUT));
  const classifier = await Classifier.create(model, backend);
  try {
    const { logits } = await classifier.extract(x);
    return classAccuracy(logits, label);
  } finally {
    await classifier.dispose();
  }
}

/** Images that came flattened get their axes back. */
function labelled(
  { name, imageShape, classCount = 0 }: LabelledSource,
  { x, label }: SourceImages,
): LabelledImages {
  if (label === undefined) throw new ArgumentError(`The images of "${name}" came without classes.`);
  checkLabels(`The images of "${name}": label`, label, { classCount, rows: x.shape[0]! });
  const isFlat = x.shape.length === 2 && imageShape !== undefined;
  return { x: isFlat ? x.reshape([x.shape[0]!, ...imageShape]) : x, label };
}
