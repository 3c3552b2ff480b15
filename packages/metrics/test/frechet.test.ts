import { RandomKey, hostArray, hostZeros } from '@meanflow/core';
import { featureStatistics, frechetDistance, frechetDistanceOfStatistics } from '../src/index.js';
import { points, readJson, readTensors } from './read-test-data.js';

const { published, exact } = readJson<Record<'published' | 'exact', Record<string, number>>>('frechet.json');
const tensors = readTensors('frechet.safetensors');
const [featuresX, featuresY] = [tensors['in/X'], tensors['in/Y']];

describe('frechetDistance', () => {
  it('agrees with the published implementations on full-rank features', () => {
    const distance = frechetDistance(featuresX, featuresY);
    expect(distance).toBeCloseTo(published.XY_mf_sqrtm, 10);
    expect(distance).toBeCloseTo(published.XY_imf_eigvals, 10);
    expect(distance).toBeCloseTo(exact.XY, 10);
  });

  it('agrees with them on given statistics', () => {
    const [first, second] = ['1', '2'].map((which) => ({
      mean: tensors[`in/mu${which}`].to('float64'),
      covariance: tensors[`in/sigma${which}`].to('float64'),
    }));
    const distance = frechetDistanceOfStatistics(first, second);
    expect(distance).toBeCloseTo(published.given_f32stats_mf_sqrtm, 10);
    expect(distance).toBeCloseTo(published.given_f32stats_imf_eigvals, 10);
    expect(distance).toBeCloseTo(exact.given_f32stats, 10);
  });

  it('is exact where there are fewer rows than features', () => {
    const distance = frechetDistance(featuresX.rows(0, 8), featuresY);
    expect(distance).toBeCloseTo(exact.rankdef, 9);
    // As near as the two published implementations are to each other and to the exact value.
    expect(Math.abs(distance - published.rankdef_imf_eigvals)).toBeLessThan(1e-5);
    expect(Math.abs(distance - published.rankdef_mf_sqrtm)).toBeLessThan(1e-5);
  });

  it('is zero for equal features, of full rank or not, and symmetric', () => {
    expect(frechetDistance(featuresX, featuresX)).toBeLessThan(1e-10);
    expect(frechetDistance(featuresX.rows(0, 8), featuresX.rows(0, 8))).toBeLessThan(1e-9);
    expect(frechetDistance(featuresY, featuresX)).toBeCloseTo(frechetDistance(featuresX, featuresY), 10);
  });

  it('is the squared length of a shift, and tr Σ·(1 − a)² for a scaling by a', () => {
    const sample = RandomKey.fromSeed(9).normal([300, 4]).to('float64');
    const shift = [1, -2, 3, 0.5];
    const shifted = sample.data.map((value, i) => value + shift[i % 4]);
    expect(frechetDistance(hostArray(shifted, { dtype: 'float64', shape: [300, 4] }), sample)).toBeCloseTo(
      14.25,
      9,
    );

    const { mean, covariance } = featureStatistics(sample);
    const scaled = hostArray(
      sample.data.map((value, i) => 3 * (value - mean.data[i % 4]) + mean.data[i % 4]),
      { dtype: 'float64', shape: [300, 4] },
    );
    const trace = [0, 5, 10, 15].reduce((sum, i) => sum + covariance.data[i], 0);
    expect(frechetDistance(scaled, sample)).toBeCloseTo(4 * trace, 9);
  });

  it('takes features without variance', () => {
    expect(
      frechetDistance(
        hostZeros([3, 2]),
        points([
          [3, 4],
          [3, 4],
        ]),
      ),
    ).toBe(25);
  });

  it('divides covariances by rows − 1', () => {
    const { mean, covariance } = featureStatistics(
      points([
        [0, 1],
        [2, 5],
        [4, 3],
      ]),
    );
    expect([...mean.data]).toEqual([2, 3]);
    expect([...covariance.data]).toEqual([4, 2, 2, 4]);
  });

  it('refuses what has no covariance or another number of features', () => {
    expect(() => frechetDistance(hostZeros([1, 2]), hostZeros([5, 2]))).toThrow('at least 2 rows');
    expect(() => frechetDistance(hostZeros([3, 2]), hostZeros([5, 3]))).toThrow('have 2 features');
    const [two, three] = [hostZeros([3, 2]), hostZeros([3, 3])].map(featureStatistics);
    expect(() => frechetDistanceOfStatistics(two, three)).toThrow('Statistics of 2 features are a mean [2]');
  });
});
