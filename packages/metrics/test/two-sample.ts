/** Two small samples of different sizes with values computed by Python's libraries: see data/two-sample.json. */
import { hostArray } from '@meanflow/core';
import { points, readJson } from './read-test-data.js';

interface TwoSample {
  readonly x: number[][];
  readonly y: number[][];
  readonly z: number[][];
  readonly directions: number[][];
  readonly labelsX: number[];
  readonly labelsY: number[];
  readonly slicedWasserstein2: { readonly xy: number; readonly xz: number };
  readonly firstColumn: { readonly wasserstein2Squared: number; readonly energyDistance: number };
  readonly energyDistance: { readonly biased: number; readonly unbiased: number };
  readonly mmd: readonly { readonly bandwidth: number; readonly biased: number; readonly unbiased: number }[];
  readonly medianDistanceOfY: number;
  readonly neighbours: {
    readonly indices: number[];
    readonly distances: number[];
    readonly labelAgreement: number;
    readonly meanDistance: number;
  };
}

export const expected = readJson<TwoSample>('two-sample.json');
export const x = points(expected.x);
export const y = points(expected.y);
export const z = points(expected.z);
export const labelsX = hostArray(expected.labelsX, { dtype: 'int32' });
export const labelsY = hostArray(expected.labelsY, { dtype: 'int32' });
