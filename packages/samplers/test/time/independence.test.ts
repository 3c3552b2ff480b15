/** Every random number behind a time or a guidance condition is from a stream of its own. */
import { RandomKey } from '@meanflow/core';
import { dependentPairs, repeatedDraws } from '@meanflow/conformance/testing';
import type { IntervalSampler } from '../../src/index.js';
import { drawRawGuidance, drawRawIntervals } from '../../src/draws.js';

const COUNT = 4099;
const key = RandomKey.fromSeed(21);
/** Looks at everything that can be drawn. */
const sampler: IntervalSampler = {
  t: { kind: 'uniform' },
  equalShare: 0.5,
  equalRows: 'coin',
  uniformShare: 0.3,
  fullShare: 0.1,
};

test('times, coins and guidance conditions are independent', () => {
  const { t, r, coin, uniform } = drawRawIntervals(key, sampler, COUNT);
  const { omega, tMin, tMax } = drawRawGuidance(key, COUNT);
  const streams = { t, r, coin: coin!, 'uniform coin': uniform!.coin, 'uniform t': uniform!.t, 'uniform r': uniform!.r, omega, tMin, tMax }; // prettier-ignore
  const drawn = Object.entries(streams).map(([name, { data }]) => [name, data] as const);
  expect(dependentPairs(Object.fromEntries(drawn))).toEqual([]);
});

test.each<IntervalSampler['t']>([{ kind: 'uniform' }, { kind: 'logit-normal', mean: -0.4, std: 1 }])(
  'nothing is drawn twice from a key, with times %j',
  (t) => {
    const draw = () => [drawRawIntervals(key, { ...sampler, t }, COUNT), drawRawGuidance(key, COUNT)];
    expect(repeatedDraws(draw)).toEqual({});
    const { equalRows, ...first } = sampler;
    expect(equalRows).toBe('coin');
    expect(repeatedDraws(() => drawRawIntervals(key, { ...first, t }, COUNT))).toEqual({});
  },
);
