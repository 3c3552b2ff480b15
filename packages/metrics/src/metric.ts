/**
 * Metric: the one shape in which every quality metric can be listed, chosen by what is known of the data, and put in
 * a table. The functions themselves are in a file each; here are the settings they are tabulated with.
 */
import { ArgumentError, didYouMean, sizeOf, type HostArray, type RandomKey } from '@meanflow/core';
import { classAccuracy, classFrechetDistance } from './class-accuracy.js';
import { energyDistance } from './energy-distance.js';
import { frechetDistance } from './frechet.js';
import { inceptionScore } from './inception-score.js';
import { densityCoverage, precisionRecall } from './manifolds.js';
import { medianDistance, mmdSquared } from './mmd.js';
import { neighbourDistanceRatio, neighbourLabelAgreement } from './neighbours.js';
import { slicedWasserstein2 } from './sliced-wasserstein.js';
import { modeCoverage, shareOffSupport, type Support } from './support.js';

/** What samples are judged by; a metric applies where what it reads is there. */
export interface Evaluation {
  /** `[rows, ...features]`, float, normalised as the network made them. */
  readonly samples: HostArray;
  /** int32 `[rows]`: the class that each sample was asked for. */
  readonly sampleLabels?: HostArray<'int32'>;
  /** `[other rows, ...features]`: data the model has not seen. */
  readonly reference: HostArray;
  /** int32 `[other rows]`. */
  readonly referenceLabels?: HostArray<'int32'>;
  /** `[training rows, ...features]`: what the model learnt from, where that is a finite set of rows. */
  readonly training?: HostArray;
  /** Where the distribution has its mass, where that is known. */
  readonly support?: Support;
  /** `[rows, features]`: what a feature extractor makes of the samples. */
  readonly sampleFeatures?: HostArray;
  /** `[rows, classes]`: what a classifier makes of the samples. */
  readonly sampleLogits?: HostArray;
  /** `[other rows, features]`: what the same extractor makes of the reference. */
  readonly referenceFeatures?: HostArray;
}

/** A quality metric. */
export interface Metric {
  /** What commands and files call it. */
  readonly name: string;
  /** What the head of a table calls it. */
  readonly title: string;
  /** The unit of its value; empty where it has none. */
  readonly unit: string;
  /** Which values are good; `one`: the nearer to 1. */
  readonly better: 'lower' | 'higher' | 'one';
  /** One sentence: what it shows, and with what settings. */
  readonly description: string;
  /**
   * Whether it measures against the training rows where there are such; its noise floor then is that of held-out rows.
   * False by default.
   */
  readonly comparesWithTraining?: boolean;
  /** Whether all that it reads is there. */
  appliesTo(evaluation: Evaluation): boolean;
  /**
   * The value. The same key gives the same value.
   *
   * @throws {ArgumentError} when it does not apply; otherwise as the function of its file
   */
  evaluate(evaluation: Evaluation, key: RandomKey): number;
}

/** Bandwidth of MMD on points of the plane, whose distributions have features of about this size. */
const PLANE_BANDWIDTH = 0.2;

/** Rows of which metrics over all pairs look: their cost is quadratic, and their noise at this many is small. */
const PAIRWISE_ROWS = 5000;

function firstRows(array: HostArray): HostArray {
  return array.rows(0, Math.min(PAIRWISE_ROWS, array.shape[0]));
}

/** Metrics on an extractor's features and logits. */
const featureMetrics: readonly Metric[] = [
  metric({
    name: 'feature-frechet',
    title: 'feature Fréchet',
    unit: '',
    better: 'lower',
    description: "Fréchet distance on an extractor's features: FID where they are Inception's.",
    reads: ['sampleFeatures', 'referenceFeatures'],
    value: ({ sampleFeatures, referenceFeatures }) => frechetDistance(sampleFeatures, referenceFeatures),
  }),
  metric({
    name: 'class-frechet',
    title: 'class Fréchet',
    unit: '',
    better: 'lower',
    description: "Fréchet distance on an extractor's features within each class, mean over classes.",
    reads: ['sampleFeatures', 'sampleLabels', 'referenceFeatures', 'referenceLabels'],
    value: ({ sampleFeatures, sampleLabels, referenceFeatures, referenceLabels }) =>
      classFrechetDistance(sampleFeatures, sampleLabels, referenceFeatures, referenceLabels),
  }),
  metric({
    name: 'class-accuracy',
    title: 'class accuracy',
    unit: 'share',
    better: 'higher',
    description: 'Samples that a classifier gives the class they were asked for.',
    reads: ['sampleLogits', 'sampleLabels'],
    value: ({ sampleLogits, sampleLabels }) => classAccuracy(sampleLogits, sampleLabels),
  }),
  metric({
    name: 'inception-score',
    title: 'inception score',
    unit: '',
    better: 'higher',
    description: 'How sure a classifier is of each sample, and how many classes it sees; mean over 10 parts.',
    reads: ['sampleLogits'],
    value: ({ sampleLogits }) => inceptionScore(sampleLogits).mean,
  }),
  ...(['precision', 'recall'] as const).map((name) =>
    metric({
      name,
      title: name,
      unit: 'share',
      better: 'higher',
      description:
        `${name === 'precision' ? "Samples in the reference's" : "Reference rows in the samples'"} manifold of ` +
        `3 nearest neighbours, on an extractor's features, the first ${PAIRWISE_ROWS} rows.`,
      reads: ['sampleFeatures', 'referenceFeatures'],
      value: ({ sampleFeatures, referenceFeatures }) =>
        precisionRecall(firstRows(sampleFeatures), firstRows(referenceFeatures))[name],
    }),
  ),
  ...(['density', 'coverage'] as const).map((name) =>
    metric({
      name,
      title: name,
      unit: '',
      better: 'higher',
      description:
        `${name === 'density' ? "The reference's balls around each sample" : "The reference's balls that hold a sample"}, ` +
        `with 5 nearest neighbours, on an extractor's features, the first ${PAIRWISE_ROWS} rows.`,
      reads: ['sampleFeatures', 'referenceFeatures'],
      value: ({ sampleFeatures, referenceFeatures }) =>
        densityCoverage(firstRows(sampleFeatures), firstRows(referenceFeatures))[name],
    }),
  ),
];

/** All metrics, in the order of a table. */
export const metrics: readonly Metric[] = [
  metric({
    name: 'sliced-wasserstein-2',
    title: 'sliced W2',
    unit: 'normalised units',
    better: 'lower',
    description: 'How far mass must be moved, along 128 random directions.',
    reads: [],
    value: ({ samples, reference }, key) => slicedWasserstein2(samples, reference, { key }),
  }),
  metric({
    name: 'mmd2',
    title: 'MMD²',
    unit: '',
    better: 'lower',
    description:
      `Unbiased, Gaussian kernel exp(−d²/(2σ²)): σ = ${PLANE_BANDWIDTH} in the plane, ` +
      `else the median distance of the reference. On the first ${PAIRWISE_ROWS} rows.`,
    reads: [],
    value: ({ samples, reference }, key) => {
      const isPlane = sizeOf(reference.shape.slice(1)) === 2;
      const bandwidth = isPlane ? PLANE_BANDWIDTH : medianDistance(reference, key);
      return mmdSquared(firstRows(samples), firstRows(reference), { bandwidth });
    },
  }),
  metric({
    name: 'energy-distance',
    title: 'energy',
    unit: 'normalised units',
    better: 'lower',
    description: 'Unbiased, 2E‖X − Y‖ − E‖X − X′‖ − E‖Y − Y′‖.',
    reads: [],
    value: ({ samples, reference }) => energyDistance(firstRows(samples), firstRows(reference)),
  }),
  metric({
    name: 'frechet',
    title: 'Fréchet',
    unit: 'normalised units²',
    better: 'lower',
    description:
      'Between Gaussians of the same mean and covariance, on the features as they are. Where the training rows are a ' +
      'finite set it is measured against them, as FID is: few held-out rows would bias it.',
    comparesWithTraining: true,
    reads: [],
    value: ({ samples, training, reference }) => frechetDistance(samples, training ?? reference),
  }),
  metric({
    name: 'off-support',
    title: 'off support',
    unit: 'share',
    better: 'lower',
    description: 'Samples where the distribution has next to no mass.',
    reads: ['support'],
    value: ({ samples, support }) => shareOffSupport(samples, support),
  }),
  metric({
    name: 'mode-coverage',
    title: 'modes covered',
    unit: 'share',
    better: 'higher',
    description: 'Modes that receive at least a tenth of their fair share of the samples.',
    reads: ['support'],
    value: ({ samples, support }) => modeCoverage(samples, support).covered,
  }),
  metric({
    name: 'mode-imbalance',
    title: 'mode TV',
    unit: '',
    better: 'lower',
    description: 'Total variation between the modes of the samples and equal shares.',
    reads: ['support'],
    value: ({ samples, support }) => modeCoverage(samples, support).totalVariation,
  }),
  metric({
    name: 'neighbour-label-agreement',
    title: 'NN label agreement',
    unit: 'share',
    better: 'higher',
    description: 'Samples whose nearest reference row has the class they were asked for.',
    reads: ['sampleLabels', 'referenceLabels'],
    value: ({ samples, sampleLabels, reference, referenceLabels }) =>
      neighbourLabelAgreement(samples, sampleLabels, reference, referenceLabels),
  }),
  metric({
    name: 'neighbour-distance-ratio',
    title: 'NN distance ratio',
    unit: '',
    better: 'one',
    description:
      'Distance to the nearest training row, over that of unseen data: towards 0 where rows are memorised.',
    comparesWithTraining: true,
    reads: ['training'],
    value: ({ samples, training, reference }) => neighbourDistanceRatio(samples, training, reference),
  }),
  ...featureMetrics,
];

/**
 * The metric of a name.
 *
 * @throws {ArgumentError} when there is none; the message lists the names and the nearest one
 */
export function findMetric(name: string): Metric {
  const found = metrics.find((candidate) => candidate.name === name);
  if (found !== undefined) return found;
  const names = metrics.map((candidate) => candidate.name);
  throw new ArgumentError(
    `There is no metric "${name}".${didYouMean(name, names)} Known are ${names.join(', ')}.`,
  );
}

/** A metric out of its value and the optional fields of an evaluation that it reads. */
function metric<Field extends keyof Evaluation>(
  definition: Pick<Metric, 'name' | 'title' | 'unit' | 'better' | 'description' | 'comparesWithTraining'> & {
    readonly reads: readonly Field[];
    readonly value: (evaluation: Evaluation & Required<Pick<Evaluation, Field>>, key: RandomKey) => number;
  },
): Metric {
  const { reads, value, ...named } = definition;
  const hasAll = (evaluation: Evaluation): evaluation is Evaluation & Required<Pick<Evaluation, Field>> =>
    reads.every((field) => evaluation[field] !== undefined);
  return {
    ...named,
    appliesTo: hasAll,
    evaluate: (evaluation, key) => {
      if (hasAll(evaluation)) return value(evaluation, key);
      const missing = reads.filter((field) => evaluation[field] === undefined);
      throw new ArgumentError(`The metric "${named.name}" needs ${missing.join(' and ')}.`);
    },
  };
}
