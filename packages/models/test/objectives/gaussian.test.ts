/**
 * The exact one-dimensional Gaussian: with the closed form as the network, every part of the identity holds.
 */
import { hostArray, jvp, RandomKey, sub, type HostArray } from '@meanflow/core';
import { improvedMeanFlowTerms, meanFlowTerms } from '../../src/published.js';
import { gaussian, MEAN, VARIANCE } from '../gaussian.js';
import { evaluate } from '../helpers.js';

const column = (values: number[]) => hostArray(values, { dtype: 'float64', shape: [values.length, 1] });
const row = (values: ArrayLike<number>) => hostArray(values, { dtype: 'float64' });

/** v(z, t) by its own formula. */
function velocity(z: number, t: number): number {
  const variance = (1 - t) ** 2 * VARIANCE + t ** 2;
  return -MEAN + ((t - (1 - t) * VARIANCE) / variance) * (z - (1 - t) * MEAN);
}

const points = [
  { z: 0.3, r: 0, t: 1, v: -1.2, u: -1.35, dudt: 0.15 },
  { z: -1.2, r: 0, t: 1, v: -2.7, u: -2.1, dudt: -0.6 },
  { z: 0.7, r: 0.2, t: 0.9, v: -0.9076923077, u: -1.1041091659, dudt: 0.28059551 },
  { z: 1.1, r: 0.5, t: 0.6, v: -0.875, u: -0.9194173824, dudt: 0.44417382 },
];

test.each(points)('u and du/dt at (z, r, t) = ($z, $r, $t)', ({ z, r, t, v, u, dudt }) => {
  expect(velocity(z, t)).toBeCloseTo(v, 9);
  const result = evaluate(
    (at) => {
      const average = (z: typeof at.z, r: typeof at.r, t: typeof at.t) =>
        gaussian.apply({}, { z, t, h: sub(t, r) }).u;
      const [value, tangent] = jvp(average, [at.z, at.r, at.t], [at.v, 0, 1]);
      return { value, tangent };
    },
    { z: column([z]), r: row([r]), t: row([t]), v: column([v]) },
  );
  expect(Math.abs(result.value.item() - u)).toBeLessThan(1e-8);
  expect(Math.abs(result.tangent.item() - dudt)).toBeLessThan(1e-8);
  expect(Math.abs(v - (t - r) * result.tangent.item() - u)).toBeLessThan(1e-8);
});

describe('at random points', () => {
  const count = 200;
  const key = RandomKey.fromSeed(11);
  const [a, b] = [key.fold('a').uniform([count]).data, key.fold('b').uniform([count]).data];
  const z = Array.from(key.fold('z').normal([count]).data, (value) => 1.5 * value);
  const t = Array.from(a, (value, i) => Math.max(value, b[i]));
  const r = Array.from(a, (value, i) => Math.min(value, b[i]));
  const v = z.map((value, i) => velocity(value, t[i]));
  // Data and noise whose path passes through z at time t with exactly the marginal velocity.
  const batch = { x: column(z.map((value, i) => value - t[i] * v[i])) };
  const draws = { noise: column(z.map((value, i) => value + (1 - t[i]) * v[i])), t: row(t), r: row(r) };
  const largest = ({ data }: HostArray) => Math.max(...Array.from(data, Math.abs));

  test('the MeanFlow target is u itself', () => {
    const { error, z: at } = evaluate(
      ({ batch, draws }) => {
        const terms = meanFlowTerms(
          { kind: 'meanflow' },
          { network: gaussian, params: {}, batch: batch as never, draws: draws as never },
        );
        return { error: sub(terms.u, terms.target), z: terms.z };
      },
      { batch, draws },
    );
    expect(largest(error)).toBeLessThan(1e-6);
    expect(Math.max(...z.map((value, i) => Math.abs(value - at.data[i])))).toBeLessThan(1e-12);
  });

  test('the compound of improved MeanFlow is v itself, with u at r = t for the tangent', () => {
    const config = { kind: 'improved-meanflow', tangent: 'boundary' } as const;
    const { error, tangentError } = evaluate(
      ({ batch, draws }) => {
        const terms = improvedMeanFlowTerms(config, {
          network: gaussian,
          params: {},
          batch: batch as never,
          draws: draws as never,
        });
        return { error: sub(terms.compound, terms.v), tangentError: sub(terms.tangent, terms.v) };
      },
      { batch, draws },
    );
    expect(largest(tangentError)).toBeLessThan(1e-9);
    expect(largest(error)).toBeLessThan(1e-6);
  });
});
