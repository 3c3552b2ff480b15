import { hostArray, hostZeros } from '@meanflow/core';
import {
  meanNeighbourDistance,
  nearestNeighbours,
  neighbourDistanceRatio,
  neighbourLabelAgreement,
} from '../src/index.js';
import { points } from './read-test-data.js';
import { expected, labelsX, labelsY, x, y } from './two-sample.js';

describe('nearest neighbours', () => {
  it('agree with scikit-learn', () => {
    const { indices, distances } = nearestNeighbours(x, y);
    expect([...indices]).toEqual(expected.neighbours.indices);
    distances.forEach((distance, i) => expect(distance).toBeCloseTo(expected.neighbours.distances[i], 12));
    expect(meanNeighbourDistance(x, y)).toBeCloseTo(expected.neighbours.meanDistance, 12);
    expect(neighbourLabelAgreement(x, labelsX, y, labelsY)).toBeCloseTo(
      expected.neighbours.labelAgreement,
      14,
    );
  });

  it('take the first of equally near rows', () => {
    expect([...nearestNeighbours(points([[0]]), points([[2], [1], [-1]])).indices]).toEqual([1]);
  });

  it('show memorising: 0 where training rows come back, 1 where samples are as new as unseen data', () => {
    const training = points([[0], [10], [20]]);
    const heldOut = points([[1], [12]]);
    expect(neighbourDistanceRatio(training, training, heldOut)).toBe(0);
    expect(neighbourDistanceRatio(heldOut, training, heldOut)).toBe(1);
    expect(neighbourDistanceRatio(points([[23]]), training, heldOut)).toBe(2);
    expect(() => neighbourDistanceRatio(heldOut, training, training)).toThrow(
      'Every held-out row is also a training row',
    );
  });

  it('refuse labels that do not fit the rows', () => {
    expect(() => neighbourLabelAgreement(x, labelsY, y, labelsY)).toThrow(
      'The samples are [40, 3] with labels [30], expected a label per row.',
    );
    expect(() => neighbourLabelAgreement(x, labelsX, y, labelsX)).toThrow(
      'The reference samples are [30, 3] with',
    );
    expect(() => nearestNeighbours(x, hostZeros([0, 3]))).toThrow('The rows to search are [0, 3]');
    expect(() => nearestNeighbours(hostArray([[1, 2]]), y)).toThrow('The queries have 2 features');
  });
});
