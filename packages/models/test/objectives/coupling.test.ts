/** Noise that is paired with samples: the same noise in another order, close to the best one, and for whom it is not. */
import { hostArray, RandomKey, type HostArray } from '@meanflow/core';
import { createObjective, mlp, type ObjectiveConfig } from '../../src/index.js';
import { exchangeRows } from '../../src/objectives/coupling.js';
import { evaluate } from '../helpers.js';

const key = RandomKey.fromSeed(21);

function cost(x: HostArray<'float32'>, noise: HostArray<'float32'>): number {
  return x.data.reduce((total: number, value, i) => total + (value - noise.data[i]!) ** 2, 0);
}

/** The order in which rows of two arrays are the same, as text. */
function rowsInOrder({ data }: HostArray): string[] {
  return Array.from({ length: data.length / 2 }, (_, i) => data.subarray(2 * i, 2 * i + 2).join()).sort();
}

/** All orders of so many. */
function orders(count: number): number[][] {
  if (count === 0) return [[]];
  const last = count - 1;
  const insert = (order: readonly number[], at: number) => [...order.slice(0, at), last, ...order.slice(at)];
  return orders(last).flatMap((order) => Array.from({ length: count }, (_, at) => insert(order, at)));
}

describe('exchangeRows', () => {
  test('two rows: exchanged where that is closer, left where it is not', () => {
    const noise = new Float32Array([1, 1, -1, -1]);
    exchangeRows([-1, -2, 2, 1], noise, 2, 1);
    expect(Array.from(noise)).toEqual([-1, -1, 1, 1]);
    exchangeRows([-1, -2, 2, 1], noise, 2, 5);
    expect(Array.from(noise)).toEqual([-1, -1, 1, 1]);
  });

  test('of one number each, it sorts', () => {
    const x = key.fold('x').normal([40]);
    const noise = key.fold('noise').normal([40]);
    exchangeRows(x.data, noise.data, 1, 40);
    const order = Array.from(x.data.keys()).sort((a, b) => x.data[a]! - x.data[b]!);
    const sorted = order.map((i) => noise.data[i]!);
    expect(sorted).toEqual([...sorted].sort((a, b) => a - b));
  });

  test('points of the plane are exchanged as rows of more numbers are', () => {
    const x = key.fold('x').normal([60, 2]);
    const noise = key.fold('noise').normal([60, 2]);
    const wider = (points: Float32Array): Float32Array =>
      Float32Array.from({ length: 180 }, (_, i) =>
        i % 3 === 2 ? 0 : points[2 * Math.floor(i / 3) + (i % 3)]!,
      );
    const [plane, space] = [noise.clone().data, wider(noise.data)];
    exchangeRows(x.data, plane, 2, 2);
    exchangeRows(wider(x.data), space, 3, 2);
    expect(wider(plane)).toEqual(space);
    expect(plane).not.toEqual(noise.data);
  });

  test('six points: within a tenth of the best of all 720 orders, over many batches', () => {
    let [found, best] = [0, 0];
    for (let batch = 0; batch < 40; batch++) {
      const x = key.fold(batch).fold('x').normal([6, 2]);
      const noise = key.fold(batch).fold('noise').normal([6, 2]);
      const costs = orders(6).map((order) =>
        cost(x, hostArray(order.flatMap((i) => Array.from(noise.data.subarray(2 * i, 2 * i + 2))))),
      );
      best += Math.min(...costs);
      exchangeRows(x.data, noise.data, 2, 2);
      found += cost(x, noise);
    }
    expect(found).toBeGreaterThanOrEqual(best * (1 - 1e-6));
    expect(found).toBeLessThan(1.1 * best);
  });
});

const network = mlp({ kind: 'mlp', featureShape: [2], width: 8, depth: 2 });
const intervals = { t: { kind: 'uniform' }, equalShare: 0.25 } as const;
const kinds = [
  { kind: 'flow-matching' },
  { kind: 'meanflow', intervals },
  { kind: 'improved-meanflow', intervals, tangent: 'boundary' },
] as const satisfies readonly ObjectiveConfig[];

describe.each(kinds)('$kind', (config) => {
  const independent = createObjective(config);
  const coupled = createObjective({ ...config, coupling: 'optimal-transport' });
  const batch = { x: key.fold('batch').normal([32, 2]) };
  const given = { network, key: key.fold('draws'), batch, step: 0 };

  test('the noise that it draws without, in another order, closer to the samples', () => {
    const [{ noise, ...rest }, plain] = [coupled.draw(given), independent.draw(given)];
    const { noise: before, ...others } = plain;
    expect(rest).toEqual(others);
    expect(rowsInOrder(noise)).toEqual(rowsInOrder(before));
    // Independent pairs of standard normals are 4 apart; these are of one batch.
    expect(cost(batch.x, noise)).toBeLessThan(0.25 * cost(batch.x, before));
    expect(coupled.draw(given).noise).toEqual(noise);
  });

  test('needs the samples, and takes labels that its network does not see', () => {
    expect(() => coupled.draw({ ...given, batch: { x: { shape: [32, 2] } } })).toThrow('needs the samples');
    const labelled = { ...batch, label: hostArray(new Int32Array(32), { dtype: 'int32' }) };
    expect(coupled.draw({ ...given, batch: labelled })).toEqual(coupled.draw(given));
  });

  test.each([
    ['classes', { classCount: 3 }],
    ['a condition', { conditions: { side: { kind: 'vector', shape: [1] } } }],
  ] as const)('refuses a network of %s', (_, conditioned) => {
    const other = mlp({ kind: 'mlp', featureShape: [2], width: 8, depth: 2, ...conditioned });
    const inputs = { params: other.init(key), batch, draws: coupled.draw(given) };
    expect(() =>
      evaluate(
        ({ params, batch, draws }) => ({
          loss: coupled.loss({ network: other, params, batch, draws, references: {} }).loss,
        }),
        inputs,
      ),
    ).toThrow("coupling: 'optimal-transport' takes rows of a batch for one another");
  });
});
