/**
 * All quality metrics in the order of a table, with the settings that they are tabulated with. The functions themselves
 * are in a file each.
 */
import { sizeOf } from '@meanflow/core';
import { Registry } from '@meanflow/core/validation';
import { energyDistance } from './energy-distance.js';
import { featureMetrics } from './feature-metrics.js';
import { frechetDistance } from './frechet.js';
import {
  completeMetric,
  firstRows,
  metric,
  PAIRWISE_ROWS,
  type Metric,
  type MetricDefinition,
} from './metric-definition.js';
import { medianDistance, mmdSquared } from './mmd.js';
import { neighbourDistanceRatio, neighbourLabelAgreement } from './neighbours.js';
import { slicedWasserstein2 } from './sliced-wasserstein.js';
import { modeCoverage, shareOffSupport } from './support.js';

/** Bandwidth of MMD on points of the plane, whose distributions have features of about this size. */
const PLANE_BANDWIDTH = 0.2;

/** All metrics, in the order of a table; others can be registered. */
export const metrics = new Registry<Metric | MetricDefinition, Metric>(
  'metric',
  [
    metric({
      name: 'sliced-wasserstein-2',
      title: 'sliced W2',
      unit: 'normalised units',
      better: 'lower',
      description: 'How far mass must be moved, along 128 random directions.',
      value: ({ samples, reference }, key) => slicedWasserstein2(samples, reference, { key }),
    }),
    metric({
      name: 'mmd2',
      title: 'MMD²',
      better: 'lower',
      description:
        `Unbiased, Gaussian kernel exp(−d²/(2σ²)): σ = ${PLANE_BANDWIDTH} in the plane, ` +
        `else the median distance of the reference. On the first ${PAIRWISE_ROWS} rows.`,
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
      better: 'one',
      description:
        'Distance to the nearest training row, over that of unseen data: towards 0 where rows are memorised.',
      comparesWithTraining: true,
      reads: ['training'],
      value: ({ samples, training, reference }) => neighbourDistanceRatio(samples, training, reference),
    }),
    ...featureMetrics,
  ],
  { complete: completeMetric },
);
