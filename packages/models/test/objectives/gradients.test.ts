/**
 * Gradients of the objectives on a network, against central finite differences in float64. What the
 * objectives hold under stop-gradient is computed once and passed in as constants, so that a derivative that
 * leaks through them shows.
 */
import { hostArray, mean, mul, RandomKey, sub, treeFlatten, type HostArray, type Tree } from '@meanflow/core';
import { perRow } from '@meanflow/samplers';
import {
  adaptivelyWeighted,
  createNetwork,
  flowMatching,
  squaredNorm,
  type AdaptiveWeight,
  type ImprovedMeanFlowConfig,
  type MeanFlowConfig,
  type NetworkConfig,
  type TrainingBatch,
  type VelocityDraws,
} from '../../src/index.js';
import { improvedMeanFlowTerms, meanFlowTerms } from '../../src/published.js';
import { differentiate, evaluate, inner, moved } from '../helpers.js';

const key = RandomKey.fromSeed(21);
const BATCH = 5;
const STEP = 1e-4;

const plain: NetworkConfig = {
  kind: 'mlp',
  featureShape: [2],
  width: 6,
  depth: 2,
  velocityHead: { depth: 1 },
};
const classes: NetworkConfig = { ...plain, classCount: 3, guidance: true };
const residual: NetworkConfig = {
  ...plain,
  kind: 'residual-mlp',
  zeroOutput: false,
  classCount: 3,
  guidance: true,
};

const batch: TrainingBatch = {
  x: key.fold('x').normal([BATCH, 2]),
  label: hostArray([0, 2, 1, 2, 0], { dtype: 'int32' }),
};
const draws: VelocityDraws = {
  noise: key.fold('noise').normal([BATCH, 2]),
  t: hostArray([0.3, 0.9, 0.62, 1, 0.5]),
  r: hostArray([0.3, 0.2, 0.5, 0, 0.25]),
  dropped: hostArray([1, 0, 0, 0, 1], { dtype: 'bool' }),
  omega: hostArray([1.5, 4, 2, 7, 3]),
  tMin: hostArray([0, 0.2, 0.4, 0.3, 0.1]),
  tMax: hostArray([1, 1, 0.6, 0.8, 0.7]),
};

/** Random parameters: those that start at zero would hide errors. */
function parameters(config: NetworkConfig) {
  const network = createNetwork(config);
  const { leaves, structure } = treeFlatten<HostArray>(network.init(key) as Tree<HostArray>);
  const random = leaves.map(({ shape }, i) => key.fold(i).normal(shape).to('float64'));
  const params = structure.unflatten(random) as ReturnType<typeof network.init>;
  const direction = structure.paths.map((path, i) => [path, key.fold('direction').fold(i).normal(leaves[i].shape)] as const); // prettier-ignore
  return { network, params, direction: Object.fromEntries(direction) };
}

/** ⟨gradient, direction⟩ against the central difference of a loss along it. */
function expectDerivative(
  gradient: Record<string, HostArray>,
  { params, direction }: ReturnType<typeof parameters>,
  loss: (params: ReturnType<typeof parameters>['params']) => number,
): void {
  const [ahead, behind] = [STEP, -STEP].map((amount) => loss(moved(params, direction, amount)));
  const expected = (ahead - behind) / (2 * STEP);
  expect(Math.abs(expected)).toBeGreaterThan(1e-3);
  expect(Math.abs(inner(gradient, direction) / expected - 1)).toBeLessThan(1e-5);
}

const half: AdaptiveWeight = { power: 0.5, epsilon: 1e-2 };

describe('flow matching', () => {
  test.each([
    ['plain', plain],
    ['with classes', classes],
    ['residual', residual],
  ])('%s', (_, config) => {
    // prettier-ignore
    const made = parameters(config);
    const { network, params } = made;
    const objective = flowMatching();
    const gradient = evaluate(
      ({ params, batch, draws }) => {
        const loss = (p: typeof params) =>
          [objective.loss({ network, params: p, batch, draws, references: {} }).loss, 0] as const;
        return differentiate(loss, params).gradient;
      },
      { params, batch, draws },
    );
    expectDerivative(gradient, made, (p) => {
      const result = evaluate(
        ({ params, batch, draws }) => ({
          loss: objective.loss({ network, params, batch, draws, references: {} }).loss,
        }),
        { params: p, batch, draws },
      );
      return result.loss.item();
    });
  });
});

describe('MeanFlow', () => {
  const cases: [string, NetworkConfig, MeanFlowConfig][] = [
    ['plain', plain, { kind: 'meanflow' }],
    ['adaptive power ½', plain, { kind: 'meanflow', weight: half }],
    ['guidance, κ = 0', classes, { kind: 'meanflow', guidance: { omega: 2, start: 0.2, end: 0.95 } }],
    ['guidance, κ > 0', residual, { kind: 'meanflow', weight: half, guidance: { omega: 0.2, kappa: 0.9 } }],
  ];
  test.each(cases)('%s', (_, config, objective) => {
    const made = parameters(config);
    const { network, params } = made;
    const { frozenTarget, frozenSquared, ...gradient } = evaluate(
      ({ params, batch, draws }) => {
        const loss = (p: typeof params) => {
          const terms = meanFlowTerms(objective, { network, params: p, batch, draws });
          return [terms.loss, terms] as const;
        };
        const { gradient, aux: terms } = differentiate(loss, params);
        return { ...gradient, frozenTarget: terms.target, frozenSquared: terms.squaredError };
      },
      { params, batch, draws },
    );
    const { power, epsilon } = objective.weight ?? { power: 1, epsilon: 0.01 };
    const weight = Float64Array.from(frozenSquared.data, (value) => (value + epsilon) ** -power);
    const frozen = { target: frozenTarget, weight: hostArray(weight, { dtype: 'float64' }) };
    expectDerivative(gradient, made, (p) => {
      const { loss } = evaluate(
        ({ params, batch, draws, frozen }) => {
          const { u } = meanFlowTerms(objective, { network, params, batch, draws });
          return { loss: mean(mul(squaredNorm(sub(u, frozen.target)), frozen.weight)) };
        },
        { params: p, batch, draws, frozen },
      );
      return loss.item();
    });
  });
});

describe('improved MeanFlow', () => {
  const cases: [string, NetworkConfig, ImprovedMeanFlowConfig][] = [
    ['velocity head, no classes', plain, { kind: 'improved-meanflow' }],
    ['boundary, no classes', plain, { kind: 'improved-meanflow', tangent: 'boundary', weight: half }],
    ['velocity head with guidance', classes, { kind: 'improved-meanflow', guidance: {}, weight: half }],
    ['boundary with guidance', residual, { kind: 'improved-meanflow', tangent: 'boundary', guidance: {} }],
  ];
  test.each(cases)('%s', (_, config, objective) => {
    const made = parameters(config);
    const { network, params } = made;
    const { dudt, guided, squared, headSquared, ...gradient } = evaluate(
      ({ params, batch, draws }) => {
        const loss = (p: typeof params) => {
          const terms = improvedMeanFlowTerms(objective, { network, params: p, batch, draws });
          return [terms.loss, terms] as const;
        };
        const { gradient, aux: terms } = differentiate(loss, params);
        return {
          ...gradient,
          dudt: terms.dudt,
          guided: terms.guidedVelocity,
          squared: terms.squaredError,
          headSquared: terms.head?.squaredError ?? terms.squaredError,
        };
      },
      { params, batch, draws },
    );
    const { power, epsilon } = objective.weight ?? { power: 1, epsilon: 0.01 };
    const weightOf = ({ data }: HostArray) =>
      hostArray(Float64Array.from(data, (value) => (value + epsilon) ** -power), { dtype: 'float64' }); // prettier-ignore
    const frozen = { dudt, guided, weight: weightOf(squared), headWeight: weightOf(headSquared) };
    expectDerivative(gradient, made, (p) => {
      const { loss } = evaluate(
        ({ params, batch, draws, frozen }) => {
          const { u, head, z } = improvedMeanFlowTerms(objective, { network, params, batch, draws });
          const compound = u.add(perRow(sub(draws.t, draws.r!), z).mul(frozen.dudt));
          const error = mean(mul(squaredNorm(sub(compound, frozen.guided)), frozen.weight));
          if (head === undefined) return { loss: error };
          return { loss: error.add(mean(mul(squaredNorm(sub(head.v, frozen.guided)), frozen.headWeight))) };
        },
        { params: p, batch, draws, frozen },
      );
      return loss.item();
    });
  });
});

test('adaptive weights', () => {
  const squared = hostArray([0, 1, 4], { dtype: 'float64' });
  const at = (weight: AdaptiveWeight) => [
    ...evaluate(({ squared }) => ({ out: adaptivelyWeighted(squared, weight) }), { squared }).out.data,
  ];
  expect(at({ power: 0, epsilon: 1 })).toEqual([0, 1, 4]);
  expect(at({ power: 1, epsilon: 1 })).toEqual([0, 0.5, 0.8]);
  expect(at({ power: 0.5, epsilon: 5 })[2]).toBeCloseTo(4 / 3, 12);
  expect(at({ power: 2, epsilon: 1 })[2]).toBeCloseTo(4 / 25, 12);
});
