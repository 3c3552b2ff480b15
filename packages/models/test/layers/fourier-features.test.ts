/** Fourier features of points. */
import { hostArray } from '@meanflow/core';
import { embedPoint, featuresWidth, fourierFeatures } from '../../src/layers/index.js';
import { evaluate, relativeError } from '../helpers.js';

const x = hostArray([
  [0.5, -1.25],
  [2, 0],
  [-0.1, 3],
]);

test('coordinates, their cosines and their sines, at frequencies that double', () => {
  const features = fourierFeatures.parse({ kind: 'fourier', frequencies: 3, scale: 0.7 });
  const { out } = evaluate(({ x }) => ({ out: embedPoint(features, x) }), { x });
  const rows = [0, 1, 2].flatMap((row) => {
    const point = Array.from(x.data.subarray(2 * row, 2 * row + 2), Number);
    const angles = point.flatMap((value) => [0.7, 1.4, 2.8].map((frequency) => frequency * value));
    return [...point, ...angles.map(Math.cos), ...angles.map(Math.sin)];
  });
  expect(out.shape).toEqual([3, featuresWidth(features, 2)]);
  expect(relativeError(out.reshape([rows.length]), hostArray(rows))).toBeLessThan(1e-6);
});

test('the lowest frequency is 1 by default', () => {
  const { byDefault, said } = evaluate(
    ({ x }) => ({
      byDefault: embedPoint({ kind: 'fourier', frequencies: 2 }, x),
      said: embedPoint({ kind: 'fourier', frequencies: 2, scale: 1 }, x),
    }),
    { x },
  );
  expect(Array.from(byDefault.data)).toEqual(Array.from(said.data));
});

test('without features, the point as it is', () => {
  expect(featuresWidth(undefined, 2)).toBe(2);
  const { out } = evaluate(({ x }) => ({ out: embedPoint(undefined, x).mul(1) }), { x });
  expect(Array.from(out.data)).toEqual(Array.from(x.data));
});
