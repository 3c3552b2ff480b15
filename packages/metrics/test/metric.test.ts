import { ArgumentError, RandomKey } from '@meanflow/core';
import { metrics, mmdSquared, medianDistance, type Evaluation, type Support } from '../src/index.js';
import { labelsX, labelsY, x, y, z } from './two-sample.js';

const key = RandomKey.fromSeed(0);
const halves: Support = { modeCount: 2, modeOf: ({ 0: at }) => (at < 0 ? 0 : at < 2 ? 1 : -1) };
const evaluation: Evaluation = {
  samples: x,
  sampleLabels: labelsX,
  reference: y,
  referenceLabels: labelsY,
  training: z,
  support: halves,
  sampleFeatures: x,
  referenceFeatures: y,
  sampleLogits: x,
};

describe('metrics', () => {
  it('have a value where they apply', () => {
    for (const metric of metrics) {
      expect(metric.appliesTo(evaluation)).toBe(true);
      expect(Number.isFinite(metric.evaluate(evaluation, key))).toBe(true);
      expect(metric.evaluate(evaluation, key)).toBe(metric.evaluate(evaluation, RandomKey.fromSeed(0)));
      expect(metric.description).toMatch(/^[A-Z].*\.$/);
    }
  });

  it('apply where what they read is there', () => {
    const bare: Evaluation = { samples: x, reference: y };
    const applying = [...metrics].filter((metric) => metric.appliesTo(bare)).map(({ name }) => name);
    expect(applying).toEqual(['sliced-wasserstein-2', 'mmd2', 'energy-distance', 'frechet']);
    expect(() => metrics.get('off-support').evaluate(bare, key)).toThrow(
      'The metric "off-support" needs support.',
    );
    expect(() => metrics.get('neighbour-label-agreement').evaluate(bare, key)).toThrow(
      'needs sampleLabels and referenceLabels',
    );
  });

  it('measure MMD² at 0.2 in the plane and at the median distance elsewhere', () => {
    const plane = { samples: x.reshape([60, 2]), reference: y.reshape([45, 2]) };
    const mmd = metrics.get('mmd2');
    expect(mmd.evaluate(plane, key)).toBe(mmdSquared(plane.samples, plane.reference, { bandwidth: 0.2 }));
    const bandwidth = medianDistance(y, key);
    expect(mmd.evaluate(evaluation, key)).toBe(mmdSquared(x, y, { bandwidth }));
  });

  it('are found by name, and a wrong name finds the nearest', () => {
    expect(metrics.get('frechet').title).toBe('Fréchet');
    expect(() => metrics.get('mmd')).toThrow(ArgumentError);
    expect(() => metrics.get('mmd')).toThrow(
      'There is no metric "mmd". Did you mean "mmd2"? Known are sliced-w',
    );
  });
});
