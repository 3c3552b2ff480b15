/** Networks that predict data, as pixel MeanFlow's: their noise has a scale, and small times are limited alike everywhere. */
import { constant, hostArray, hostZeros, RandomKey, type HostArray, type Tensor } from '@meanflow/core';
import { velocityFromData, type VelocityNetwork } from '@meanflow/samplers';
import { createObjective, type ObjectiveConfig } from '../../src/index.js';
import { evaluate } from '../helpers.js';

const SMALLEST_TIME = 0.05;
const key = RandomKey.fromSeed(2);
const x = key.fold('x').normal([4, 3]);
const draws = { noise: key.fold('noise').normal([4, 3]), t: hostArray([0.9, 0.4, 0.05, 0.01]) };

/** A network that knows the data of every row, at noise of some scale. */
function knowing(
  noiseScale: number,
  seen: (z: Tensor) => void = () => {},
): VelocityNetwork<{ none: HostArray }> {
  return {
    featureShape: [3],
    classCount: undefined,
    takesGuidance: false,
    hasVelocityHead: false,
    noiseScale,
    smallestTime: SMALLEST_TIME,
    init: () => ({ none: hostZeros([1]) }),
    apply: (_, { z, t }) => {
      seen(z);
      return { u: velocityFromData(z, constant(x), t, SMALLEST_TIME) };
    },
  };
}

const objectives: ObjectiveConfig[] = [
  { kind: 'flow-matching' },
  { kind: 'meanflow', weight: { power: 0, epsilon: 1 } },
];

test.each(objectives)('the one that knows the data has no error by $kind, small times included', (config) => {
  const objective = createObjective(config);
  const { loss } = evaluate(
    ({ batch, draws }) => ({
      loss: objective.loss({
        network: knowing(3),
        params: { none: constant([0]) },
        batch,
        draws,
        references: {},
      }).loss,
    }),
    { batch: { x }, draws: { ...draws, ...(config.kind === 'meanflow' ? { r: draws.t } : {}) } },
  );
  expect(loss.item()).toBeLessThan(1e-12);
});

test('noise is scaled in the point that the network sees', () => {
  const objective = createObjective({ kind: 'flow-matching' });
  const { z } = evaluate(
    ({ batch, draws }) => {
      let seen: Tensor | undefined;
      objective.loss({
        network: knowing(3, (z) => (seen = z)),
        params: { none: constant([0]) },
        batch,
        draws,
        references: {},
      });
      return { z: seen! };
    },
    { batch: { x }, draws },
  );
  const expected = x.data.map((value, i) => {
    const t = draws.t.data[Math.floor(i / 3)];
    return (1 - t) * value + t * 3 * draws.noise.data[i];
  });
  z.data.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 5));
});
