/** The metrics on what an extractor makes of images: its features, and its logits where it is a classifier. */
import { classAccuracy, classFrechetDistance } from './class-accuracy.js';
import { featureStatistics, frechetDistance, frechetDistanceOfStatistics } from './frechet.js';
import { inceptionScore } from './inception-score.js';
import { densityCoverage, precisionRecall } from './manifolds.js';
import { firstRows, metric, PAIRWISE_ROWS, type Metric } from './metric-definition.js';

/** Metrics on an extractor's features and logits. */
export const featureMetrics: readonly Metric[] = [
  featureFrechet(),
  metric({
    name: 'class-frechet',
    title: 'class Fréchet',
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

/** Takes the reference's features, or their statistics where there is nothing else or they were computed before. */
function featureFrechet(): Metric {
  const named = {
    name: 'feature-frechet',
    title: 'feature Fréchet',
    better: 'lower',
    description:
      "Fréchet distance on an extractor's features: FID where they are Inception's. Where the training rows are a finite " +
      'set it is measured against their statistics, as FID is.',
    comparesWithTraining: true,
  } as const;
  const ofStatistics = metric({
    ...named,
    reads: ['sampleFeatures', 'referenceStatistics'],
    value: ({ sampleFeatures, referenceStatistics }) =>
      frechetDistanceOfStatistics(featureStatistics(sampleFeatures), referenceStatistics),
  });
  const ofFeatures = metric({
    ...named,
    reads: ['sampleFeatures', 'referenceFeatures'],
    value: ({ sampleFeatures, referenceFeatures }) => frechetDistance(sampleFeatures, referenceFeatures),
  });
  return {
    ...ofFeatures,
    appliesTo: (evaluation) => ofStatistics.appliesTo(evaluation) || ofFeatures.appliesTo(evaluation),
    evaluate: (evaluation, key) =>
      (ofStatistics.appliesTo(evaluation) ? ofStatistics : ofFeatures).evaluate(evaluation, key),
  };
}
