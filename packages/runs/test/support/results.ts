/** A small comparison, made up, as the report takes it. */
import { type HostArray, RandomKey } from '@meanflow/core';
import type { ComparisonResults, DatasetPictures, DatasetResults, MetricRow } from '../../src/report.js';

const row = (w2: number, coverage: number): MetricRow => ({
  w2: { median: w2, values: [w2, w2 + 0.1] },
  coverage: { median: coverage, values: [coverage, coverage] },
});

export const datasetResults: DatasetResults = {
  name: 'points',
  description: 'made-up points <b>&</b>',
  configs: { meanflow: { steps: 2 } },
  facts: ['2 steps'],
  notes: ['A short run & no more.'],
  metrics: [
    { name: 'w2', title: 'W2', unit: '', better: 'lower', description: 'a distance' },
    { name: 'coverage', title: 'coverage', unit: 'share', better: 'higher', description: 'a share' },
  ],
  floor: row(0.01, 1),
  methods: [
    {
      method: 'flow-matching',
      title: 'Flow matching',
      parameterCount: 10,
      seeds: [0, 1],
      seconds: [1, 2],
      stepsPerSecond: 5,
      sampling: [
        { nfe: 1, solver: 'euler', metrics: row(0.9, 0.25) },
        { nfe: 64, solver: 'euler', metrics: row(0.05, 1) },
      ],
      losses: [
        [1, 4],
        [2, 2],
      ],
    },
    {
      method: 'meanflow',
      title: 'MeanFlow',
      parameterCount: 10,
      seeds: [0, 1],
      seconds: [1, 2],
      stepsPerSecond: 5,
      sampling: [{ nfe: 1, solver: 'average-velocity', metrics: row(0.2, 1) }],
      losses: [
        [1, 3],
        [2, 1],
      ],
    },
  ],
};

const key = RandomKey.fromSeed(0);
const points = (name: string): HostArray => key.fold(name).normal([50, 2]);

export const datasetPictures: DatasetPictures = {
  dataset: 'points',
  imageShape: undefined,
  columns: ['x', 'y'],
  data: points('data'),
  methods: [
    {
      method: 'flow-matching',
      samples: [
        { nfe: 1, samples: points('a') },
        { nfe: 64, samples: points('b') },
      ],
      trajectory: { nfe: 64, states: [points('c'), points('d'), points('e')] },
    },
    { method: 'meanflow', samples: [{ nfe: 1, samples: points('f') }], trajectory: undefined },
  ],
};

export const comparisonResults: ComparisonResults = {
  format: 'meanflow-comparison',
  version: 1,
  createdAt: '2026-11-21T02:40:00.000Z',
  command: 'meanflow compare --seeds 0,1',
  device: { backend: 'ort:cpu', device: 'cpu', description: 'a processor', versions: { runtime: '1.2.3' } },
  seeds: [0, 1],
  trainingSeconds: 75,
  datasets: [datasetResults],
  failed: [],
};
