/**
 * The velocity that is expected at a point given the batch: against its definition, one pair of rows after the other, and as the
 * target of the objectives.
 */
import { hostArray, mean, mul, RandomKey, sub, type HostArray } from '@meanflow/core';
import { paths, type PathName } from '@meanflow/samplers';
import { createObjective, mlp, type ObjectiveConfig } from '../../src/index.js';
import { expectedVelocity } from '../../src/objectives/expected-velocity.js';
import { meanFlowTerms } from '../../src/published.js';
import { evaluate, relativeError } from '../helpers.js';

const key = RandomKey.fromSeed(12);
const ROWS = 24;
const x = key.fold('x').normal([ROWS, 2]);
const noise = key.fold('noise').normal([ROWS, 2]);
// From all noise to all data, with some in between where few samples matter.
const t = hostArray(Array.from({ length: ROWS }, (_, i) => i / (ROWS - 1)));

/** Data's and noise's share of a point. */
const shares: Readonly<Record<PathName, (t: number) => readonly [number, number]>> = {
  linear: (t) => [1 - t, t],
  cosine: (t) => [Math.cos((Math.PI / 2) * t), Math.sin((Math.PI / 2) * t)],
};
const slopes: Readonly<Record<PathName, (t: number) => readonly [number, number]>> = {
  linear: () => [-1, 1],
  cosine: (t) => [(-Math.PI / 2) * Math.sin((Math.PI / 2) * t), (Math.PI / 2) * Math.cos((Math.PI / 2) * t)],
};

/** Σⱼ pⱼ v(xⱼ, εⱼ), where εⱼ is the noise with which sample j leads to the row's point and pⱼ ∝ exp(−‖εⱼ‖²/2). */
function byDefinition(path: PathName, row: number): number[] {
  const [alpha, sigma] = shares[path](t.data[row]!);
  const [dAlpha, dSigma] = slopes[path](t.data[row]!);
  const at = (a: HostArray, i: number): number[] => Array.from(a.data.subarray(2 * i, 2 * i + 2), Number);
  const point = at(x, row).map((value, k) => alpha * value + sigma * at(noise, row)[k]!);
  const all = Array.from({ length: ROWS }, (_, j) => {
    const implied = point.map((value, k) => (value - alpha * at(x, j)[k]!) / sigma);
    const weight = Math.exp(-0.5 * implied.reduce((total, value) => total + value ** 2, 0));
    return { weight, velocity: implied.map((value, k) => dAlpha * at(x, j)[k]! + dSigma * value) };
  });
  const total = all.reduce((sum, { weight }) => sum + weight, 0);
  return [0, 1].map((k) =>
    all.reduce((sum, { weight, velocity }) => sum + (weight / total) * velocity[k]!, 0),
  );
}

const velocities = (path: PathName): Record<string, HostArray> =>
  evaluate(
    (given) => {
      const point = paths[path].point(given.x, given.noise, given.t);
      const own = paths[path].velocity(given.x, given.noise, given.t);
      return { own, expected: expectedVelocity(given.x, point, own, given.t, path) };
    },
    { x, noise, t },
  );

test.each(['linear', 'cosine'] as const)('on the %s path it is the mean over all samples', (path) => {
  const { expected } = velocities(path);
  const rows = Array.from({ length: ROWS }, (_, row) => row).slice(1);
  const right = hostArray(
    rows.flatMap((row) => byDefinition(path, row)),
    { dtype: 'float64' },
  );
  expect(relativeError(expected.rows(1, ROWS).reshape([2 * rows.length]), right)).toBeLessThan(1e-9);
});

test('at data, and where noise is finer than a hundredth of it, it is the own one', () => {
  const { own, expected } = velocities('linear');
  expect(Array.from(expected.rows(0, 1).data)).toEqual(Array.from(own.rows(0, 1).data));
  expect(relativeError(expected.rows(1, 2), own.rows(1, 2))).toBeGreaterThan(0);
});

test('at noise, where nothing is known of the sample, it leads from the mean of all', () => {
  const { expected } = velocities('linear');
  const last = ROWS - 1;
  const centre = [0, 1].map((k) => x.data.filter((_, i) => i % 2 === k).reduce((a, b) => a + b, 0) / ROWS);
  const right = centre.map((value, k) => noise.data[2 * last + k]! - value);
  expect(relativeError(expected.rows(last, ROWS).reshape([2]), hostArray(right))).toBeLessThan(1e-6);
});

const network = mlp({ kind: 'mlp', featureShape: [2], width: 8, depth: 2 });
const intervals = { t: { kind: 'uniform' }, equalShare: 0.25 } as const;
const kinds = [
  { kind: 'flow-matching' },
  { kind: 'meanflow', intervals, weight: { power: 0, epsilon: 1 } },
  { kind: 'improved-meanflow', intervals, tangent: 'boundary', weight: { power: 0, epsilon: 1 } },
] as const satisfies readonly ObjectiveConfig[];

describe.each(kinds)('$kind', (config) => {
  const conditional = createObjective(config);
  const expected = createObjective({ ...config, velocity: 'expected' });
  const inputs = {
    params: network.init(key),
    batch: { x },
    draws: expected.draw({ network, key: key.fold('draws'), batch: { x }, step: 0 }),
  };

  test('another loss from the same draws, which couples the rows', () => {
    const losses = evaluate(({ params, batch, draws }) => {
      const of = (objective: typeof expected) =>
        objective.loss({ network, params, batch, draws, references: {} }).loss.reshape([1]);
      return { conditional: of(conditional), expected: of(expected) };
    }, inputs);
    expect(relativeError(losses.expected, losses.conditional)).toBeGreaterThan(1e-3);
    // What varies around the same mean is farther from everything.
    expect(losses.expected.data[0]).toBeLessThan(losses.conditional.data[0]!);
    expect([conditional.couplesRows ?? false, expected.couplesRows]).toEqual([false, true]);
  });

  test.each([
    [
      'classes',
      mlp({ kind: 'mlp', featureShape: [2], width: 8, depth: 2, classCount: 3 }),
      {},
      'points and times alone',
    ],
    ['predictions of data', { ...network, smallestTime: 0.05 }, {}, 'networks that predict velocities'],
    ['noise of another scale', { ...network, noiseScale: 2 }, {}, 'noise of deviation 1'],
    ['noise that is paired with data', network, { coupling: 'optimal-transport' }, 'independent of data'],
  ] as const)('refuses %s', (_, other, settings, message) => {
    const objective = createObjective({ ...config, velocity: 'expected', ...settings });
    expect(() =>
      evaluate(
        ({ params, batch, draws }) => ({
          loss: objective.loss({ network: other as typeof network, params, batch, draws, references: {} })
            .loss,
        }),
        inputs,
      ),
    ).toThrow(message);
  });
});

test('MeanFlow takes it as the tangent too', () => {
  const terms = evaluate(
    ({ params, batch, draws }) => {
      const config = { kind: 'meanflow', velocity: 'expected', intervals } as const;
      const { v, guidedVelocity, u, dudt, target } = meanFlowTerms(config, { network, params, batch, draws });
      // The target's own identity at r = t, where the derivative has no part.
      return { v, guidedVelocity, gap: mean(mul(sub(target, v), sub(target, v))).reshape([1]), u, dudt };
    },
    {
      params: network.init(key),
      batch: { x },
      draws: { noise, t: hostArray(Array.from({ length: ROWS }, () => 0.5)) },
    },
  );
  expect(Array.from(terms.guidedVelocity.data)).toEqual(Array.from(terms.v.data));
  expect(terms.gap.data[0]).toBe(0);
});
