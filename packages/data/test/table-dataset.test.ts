import { RandomKey, type HostArray } from '@meanflow/core';
import { csvDataset, denormalise, type Dataset } from '../src/index.js';

const key = RandomKey.fromSeed(3);
const ROWS = 50;
const file = 'points.csv';

/** Row i is (i, i²) with class i mod 3; i is found again by undoing the normalisation. */
const text = ['x,square,class', ...Array.from({ length: ROWS }, (_, i) => `${i},${i * i},c${i % 3}`)].join(
  '\n',
);
const bytes = new TextEncoder().encode(text);
const dataset = csvDataset(bytes, { file, label: 'class' });

function rowsOf(from: Dataset, x: HostArray): number[] {
  return [...denormalise(from.normalisation, x).data]
    .filter((_, i) => i % 2 === 0)
    .map((value) => Math.round(Math.abs(value)));
}

describe('tableDataset', () => {
  it('says what it holds', () => {
    expect(dataset).toMatchObject({
      name: file,
      featureShape: [2],
      columns: ['x', 'square'],
      classCount: 3,
      classNames: ['c0', 'c1', 'c2'],
      sizes: { train: 40, test: 10 },
      support: undefined,
      imageShape: undefined,
    });
  });

  it('holds out rows by seed, the same share of each class, nothing shared and nothing lost', () => {
    const train = dataset.reference('train', key, ROWS);
    const test = dataset.reference('test', key, ROWS);
    const all = [...rowsOf(dataset, train.x), ...rowsOf(dataset, test.x)].sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: ROWS }, (_, i) => i));
    for (const label of [0, 1, 2]) {
      expect([3, 4]).toContain(test.label!.data.filter((value) => value === label).length);
    }
    const held = (seed: number) => {
      const other = csvDataset(bytes, { file, label: 'class', seed });
      return rowsOf(other, other.reference('test', key, ROWS).x);
    };
    expect(held(0)).toEqual(rowsOf(dataset, test.x));
    expect(held(1)).not.toEqual(held(0));
  });

  it('standardises by the training rows only', () => {
    const { x } = dataset.reference('train', key, ROWS);
    for (const axis of [0, 1]) {
      const values = [...x.data].filter((_, i) => i % 2 === axis);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + value ** 2, 0) / values.length - mean ** 2;
      expect(mean).toBeCloseTo(0, 6);
      expect(variance).toBeCloseTo(1, 6);
    }
  });

  it('visits every training row once per epoch, in a new order, across batches that straddle epochs', () => {
    const visited: number[] = [];
    for (let step = 0; step < 20; step++) {
      const { x, label } = dataset.batch(key, step, 6);
      const rows = rowsOf(dataset, x);
      expect([...label!.data]).toEqual(rows.map((row) => row % 3));
      visited.push(...rows);
    }
    const train = rowsOf(dataset, dataset.reference('train', key, ROWS).x);
    const epochs = [0, 1, 2].map((epoch) => visited.slice(40 * epoch, 40 * (epoch + 1)));
    for (const epoch of epochs) expect([...epoch].sort((a, b) => a - b)).toEqual(train);
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect(epochs[0]).not.toEqual(train);
  });

  it('gives a step its batch whatever was asked before, also when it is larger than an epoch', () => {
    const fresh = csvDataset(bytes, { file, label: 'class' });
    expect(fresh.batch(key, 17, 6)).toEqual(dataset.batch(RandomKey.fromSeed(3), 17, 6));
    expect(dataset.batch(key.fold('other'), 0, 40).x.data).not.toEqual(dataset.batch(key, 0, 40).x.data);
    const large = rowsOf(dataset, dataset.batch(key, 1, 100).x);
    const small = [...Array(20).keys()].flatMap((step) =>
      rowsOf(dataset, dataset.batch(key, 10 + step, 10).x),
    );
    expect(large).toEqual(small.slice(0, 100));
  });

  it('draws reference rows without repetition, by key', () => {
    const rows = rowsOf(dataset, dataset.reference('train', key, 20).x);
    expect(new Set(rows).size).toBe(20);
    expect(rowsOf(dataset, dataset.reference('train', key, 20).x)).toEqual(rows);
    expect(rowsOf(dataset, dataset.reference('train', key.fold(1), 20).x)).not.toEqual(rows);
  });

  it('learns a row of each class, however few there are and however many are held out', () => {
    const rows = Array.from({ length: 20 }, (_, i) => `${i},${i < 17 ? 'many' : i === 17 ? 'one' : 'two'}`);
    const bytesOf = new TextEncoder().encode(['x,class', ...rows].join('\n'));
    for (let seed = 0; seed < 8; seed++) {
      const few = csvDataset(bytesOf, { file, label: 'class', seed, heldOut: 0.8 });
      const learnt = few.reference('train', key, ROWS).label!;
      expect(new Set(learnt.data)).toEqual(new Set([0, 1, 2]));
      expect(few.sizes!.train + few.sizes!.test).toBe(20);
    }
  });

  it('refuses what it cannot split, normalise or draw', () => {
    const open = (csv: string, options = {}) =>
      csvDataset(new TextEncoder().encode(csv), { file, ...options });
    expect(() => open('1\n2')).toThrow(
      'points.csv: found 2 rows, expected at least 3: two to learn from and one',
    );
    expect(() => open('1')).toThrow('found 1 row, expected');
    expect(() => open('5,6\n5,6\n5,6\n5,6')).toThrow('every column is the same in all 3 training rows');
    expect(() => open('1\n2\n3', { heldOut: 1 })).toThrow('is from 0, below 1, got 1');
    expect(open('1\n2\n3', { heldOut: 0 }).sizes).toEqual({ train: 3, test: 0 });
    expect(() => open('1\n2\n3', { heldOut: 0 }).reference('test', key, 1)).toThrow(
      'are held out to judge by',
    );
    expect(() => open('1\n2\n3', { heldOut: 0.9 })).toThrow('leaves one to learn from');
    expect(() => dataset.batch(key, -1, 5)).toThrow('got step -1');
    expect(() => dataset.batch(key, 0, 0)).toThrow('needs a positive whole number of rows, got 0');
    expect(() => dataset.reference('test', key, 2.5)).toThrow('got 2.5');
    expect(() => csvDataset(Uint8Array.of(0x1f, 0x8b, 1, 2), { file })).toThrow(
      'points.csv: the gzip data is damaged',
    );
    expect(() => csvDataset(Uint8Array.of(0x31, 0, 0xff), { file })).toThrow(
      'points.csv: found bytes that are not UTF-8',
    );
  });
});
