/** What objectives of one's own are made of, by default: the linear path, and noise that is independent of data. */
import { RandomKey } from '@meanflow/core';
import { commonDraws, createNetwork, noInterval, pathPoints, type VelocityDraws } from '../../src/index.js';
import { evaluate } from '../helpers.js';

test('points of the linear path, without a word of it', () => {
  const key = RandomKey.fromSeed(2);
  const network = createNetwork({ kind: 'mlp', featureShape: [2], width: 4, depth: 1 });
  const batch = { x: key.fold('x').normal([5, 2]) };
  const { noise } = commonDraws({ network, key, batch, step: 0 });
  const t = key.fold('t').uniform([5]);
  const draws: VelocityDraws = { noise, t };
  const { z, v, u } = evaluate(
    ({ params, batch: rows, draws: drawn }: { params: never; batch: never; draws: never }) => {
      const points = pathPoints({ network, params, batch: rows, draws: drawn });
      const { u: made } = points.evaluate({
        z: points.z,
        t: points.t,
        h: noInterval(points.t),
        ...points.shown,
      });
      return { z: points.z, v: points.v, u: made };
    },
    { params: network.init(key), batch, draws } as never,
  );
  expect(u!.shape).toEqual([5, 2]);
  batch.x.data.forEach((x, i) => {
    const [time, e] = [t.data[i >> 1]!, noise.data[i]!];
    expect(z!.data[i]).toBeCloseTo((1 - time) * x + time * e, 5);
    expect(v!.data[i]).toBeCloseTo(e - x, 5);
  });
});
