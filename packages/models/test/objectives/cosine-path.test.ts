/**
 * The cosine path with one-dimensional Gaussian data, whose average velocity is known: with it as the network, the identity
 * of MeanFlow holds in every objective.
 */
import {
  equal,
  full,
  hostArray,
  hostZeros,
  RandomKey,
  sin,
  sub,
  where,
  type HostArray,
  type Tensor,
} from '@meanflow/core';
import { perRow, type VelocityNetwork } from '@meanflow/samplers';
import { createObjective, type ObjectiveConfig } from '../../src/index.js';
import { improvedMeanFlowTerms, meanFlowTerms } from '../../src/published.js';
import { evaluate } from '../helpers.js';

const MEAN = 1.5;
const VARIANCE = 0.25;
const QUARTER = Math.PI / 2;

/**
 * u(z, r, t) = (z_t − z_r) / (t − r), where z_t has mean μ cos(πt/2) and variance σ² + (1 − σ²) sin²(πt/2). Differences of
 * means and variances are written as products, which have no singularity at r = t.
 */
const gaussian: VelocityNetwork<Record<never, never>> = {
  featureShape: [1],
  classCount: undefined,
  takesGuidance: false,
  hasVelocityHead: false,
  init: () => ({}),
  apply: (_, { z, t, h }) => {
    const [end, length] = [perRow(t, z).mul(QUARTER), perRow(h, z).mul(QUARTER)];
    const both = end.mul(2).sub(length);
    // sin(c (t − r) π/2) / (t − r)
    const overTime = (share: number): Tensor => {
      const isPoint = equal(length, 0);
      const apart = where(isPoint, 1, length);
      return where(isPoint, share * QUARTER, sin(apart.mul(share)).div(apart).mul(QUARTER));
    };
    const deviation = (angle: Tensor): Tensor =>
      sin(angle)
        .square()
        .mul(1 - VARIANCE)
        .add(VARIANCE)
        .sqrt();
    const mean = sin(end.add(QUARTER)).mul(MEAN);
    const meanSlope = sin(both.mul(0.5))
      .mul(overTime(0.5))
      .mul(-2 * MEAN);
    const [here, there] = [deviation(end), deviation(end.sub(length))];
    const varianceSlope = sin(both)
      .mul(overTime(1))
      .mul(1 - VARIANCE);
    const deviationSlope = varianceSlope.div(here.add(there));
    return { u: meanSlope.add(deviationSlope.div(here).mul(z.sub(mean))) };
  },
};

const count = 200;
const key = RandomKey.fromSeed(12);
const [a, b] = [key.fold('a').uniform([count]).data, key.fold('b').uniform([count]).data];
const z = Array.from(key.fold('z').normal([count]).data, (value) => 1.5 * value);
const t = Array.from(a, (value, i) => Math.max(value, b[i]!));
const r = Array.from(a, (value, i) => Math.min(value, b[i]!));

/** The marginal velocity by its own formula: that of the mean, and z − mean growing as the deviation does. */
const v = z.map((value, i) => {
  const [c, s] = [Math.cos(QUARTER * t[i]!), Math.sin(QUARTER * t[i]!)];
  const variance = c * c * VARIANCE + s * s;
  return QUARTER * (-s * MEAN + ((c * s * (1 - VARIANCE)) / variance) * (value - c * MEAN));
});

const column = (values: readonly number[]) => hostArray(values, { dtype: 'float64', shape: [count, 1] });
const row = (values: readonly number[]) => hostArray(values, { dtype: 'float64' });
const turned = (cosine: number, sine: number) =>
  column(
    z.map((value, i) => {
      const angle = QUARTER * t[i]!;
      return (
        (cosine * Math.cos(angle) + sine * Math.sin(angle)) * value +
        (sine * Math.cos(angle) - cosine * Math.sin(angle)) * (v[i]! / QUARTER)
      );
    }),
  );
// Data and noise whose path passes through z at time t with exactly the marginal velocity.
const batch = { x: turned(1, 0) };
const draws = { noise: turned(0, 1), t: row(t), r: row(r) };
const largest = ({ data }: HostArray) => Math.max(...Array.from(data, Math.abs));

test('the MeanFlow target is u itself', () => {
  const { error, point, velocity } = evaluate(
    ({ batch, draws }) => {
      const terms = meanFlowTerms(
        { kind: 'meanflow', path: 'cosine' },
        { network: gaussian, params: {}, batch, draws },
      );
      return { error: sub(terms.u, terms.target), point: terms.z, velocity: terms.v };
    },
    { batch, draws },
  );
  expect(largest(error)).toBeLessThan(1e-6);
  z.forEach((value, i) => expect(point.data[i]).toBeCloseTo(value, 10));
  v.forEach((value, i) => expect(velocity.data[i]).toBeCloseTo(value, 10));
});

test('the compound of improved MeanFlow is v itself', () => {
  const config = { kind: 'improved-meanflow', tangent: 'boundary', path: 'cosine' } as const;
  const { error } = evaluate(
    ({ batch, draws }) => {
      const terms = improvedMeanFlowTerms(config, { network: gaussian, params: {}, batch, draws });
      return { error: sub(terms.compound, terms.v) };
    },
    { batch, draws },
  );
  expect(largest(error)).toBeLessThan(1e-6);
});

test('flow matching has no error at the marginal velocity', () => {
  const objective = createObjective({ kind: 'flow-matching', path: 'cosine' });
  const { loss } = evaluate(
    ({ batch, draws }) => ({
      loss: objective.loss({ network: gaussian, params: {}, batch, draws, references: {} }).loss,
    }),
    { batch, draws },
  );
  expect(loss.item()).toBeLessThan(1e-12);
});

test.each<ObjectiveConfig>([
  { kind: 'flow-matching', path: 'cosine' },
  { kind: 'meanflow', path: 'cosine' },
  { kind: 'improved-meanflow', path: 'cosine', tangent: 'boundary' },
])('$kind: a network that predicts data takes the linear path only', (config) => {
  const predicting: typeof gaussian = {
    ...gaussian,
    smallestTime: 0.05,
    apply: (_, { z }) => ({ u: full(z.shape, 0) }),
  };
  const loss = () =>
    evaluate(
      ({ batch, draws }) => ({
        loss: createObjective(config).loss({ network: predicting, params: {}, batch, draws, references: {} })
          .loss,
      }),
      { batch: { x: hostZeros([count, 1]) }, draws },
    );
  expect(loss).toThrow(/predicts data, .* on the linear path only; got "cosine"/);
});

test('a path that is none is refused', () => {
  expect(() => createObjective({ kind: 'flow-matching', path: 'sine' as never })).toThrow(
    /path.*linear.*cosine/,
  );
});
