/**
 * The published training objectives, by model: MeanFlow on ImageNet 256² (arXiv 2505.13447, table 4 and the
 * reference code's configurations) and on CIFAR-10 (appendix A), improved MeanFlow (arXiv 2512.02012, table 5
 * and reference code), and the guidance with which improved MeanFlow was evaluated.
 */
import { intervalPresets, type GuidanceCondition } from '@meanflow/samplers';
import type { ImprovedMeanFlowConfig } from './improved-meanflow.js';
import type { BakedGuidance, MeanFlowConfig } from './meanflow.js';

const labelDrop = { probability: 0.1, rows: 'first' } as const;
const weight = { power: 1, epsilon: 0.01 } as const;

function imageNet(guidance: BakedGuidance): MeanFlowConfig {
  return { kind: 'meanflow', intervals: intervalPresets.meanflow, weight, guidance, labelDrop };
}

/** MeanFlow. */
export const meanFlowPresets = {
  'B/4': imageNet({ omega: 1, kappa: 0.5, start: 0, end: 1 }),
  'B/2': imageNet({ omega: 1, kappa: 0.5, start: 0, end: 1 }),
  'M/2': imageNet({ omega: 1, kappa: 0.5, start: 0, end: 1 }),
  'L/2': imageNet({ omega: 0.2, kappa: 0.92, start: 0, end: 0.8 }),
  'XL/2': imageNet({ omega: 0.2, kappa: 0.92, start: 0, end: 0.75 }),
  'XL/2+': imageNet({ omega: 1, kappa: 0.5, start: 0.3, end: 0.8 }),
  'cifar10-v0': {
    kind: 'meanflow',
    intervals: intervalPresets['cifar10-v0'],
    weight: { power: 0.75, epsilon: 1e-3 },
    clipInterval: false,
  },
  'cifar10-v1': {
    kind: 'meanflow',
    intervals: intervalPresets['cifar10-v1'],
    weight: { power: 0.75, epsilon: 1e-3 },
    clipInterval: false,
  },
} as const satisfies Readonly<Record<string, MeanFlowConfig>>;

/** Improved MeanFlow on ImageNet 256², the same for all sizes. */
export const improvedMeanFlowPreset = {
  kind: 'improved-meanflow',
  intervals: intervalPresets['improved-meanflow'],
  weight,
  tangent: 'velocity-head',
  guidance: { maxScale: 8, power: 1 },
  labelDrop,
} as const satisfies ImprovedMeanFlowConfig;

/** Guidance at evaluation of improved MeanFlow, by size; one step where not said otherwise. */
export const improvedMeanFlowEvaluation = {
  'B/2': { omega: 8, tMin: 0.4, tMax: 0.65 },
  'M/2': { omega: 10.5, tMin: 0.4, tMax: 0.6 },
  'L/2': { omega: 10.5, tMin: 0.4, tMax: 0.6 },
  'XL/2': { omega: 8, tMin: 0.42, tMax: 0.62 },
  'XL/2, two steps': { omega: 4, tMin: 0.36, tMax: 0.64 },
} as const satisfies Readonly<Record<string, GuidanceCondition>>;
