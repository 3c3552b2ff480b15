/** Data sets as others write them: drawn afresh, or rows that are there, with a condition and without classes. */
import { HostArray, RandomKey } from '@meanflow/core';
import {
  datasets,
  drawnDataset,
  openDataset,
  rowsDataset,
  type Dataset,
  type DrawnDatasetOptions,
  type RowsDatasetOptions,
} from '../src/index.js';

const key = RandomKey.fromSeed(1);
const options: DrawnDatasetOptions = {
  name: 'turned',
  featureShape: [3],
  conditions: { turn: { kind: 'vector', shape: [2] } },
  sample: (from, count) => ({
    x: from.fold('x').normal([count, 3]),
    conditions: { turn: from.fold('turn').uniform([count, 2]) },
  }),
};

test('data that are drawn afresh: batches by step, splits apart, nothing to hold out', () => {
  const dataset = drawnDataset(options);
  expect(dataset).toMatchObject({ sizes: undefined, classCount: undefined, columns: [], support: undefined });
  expect(dataset.conditions).toEqual({
    turn: { kind: 'vector', shape: [2], normalisation: { kind: 'none', mean: [0], scale: [1] } },
  });
  const first = dataset.batch(key, 0, 4);
  expect(first.x.shape).toEqual([4, 3]);
  expect(first.conditions?.turn?.shape).toEqual([4, 2]);
  expect(dataset.batch(key, 0, 4)).toEqual(first);
  expect(dataset.batch(key, 1, 4)).not.toEqual(first);
  expect(dataset.reference('test', key, 4).x).not.toEqual(dataset.reference('train', key, 4).x);
});

test.each([
  [
    { sample: () => ({ x: key.normal([1, 3]) }) },
    'draws x: expected a HostArray float32[4, 3], got float32[1, 3]',
  ],
  [{ sample: () => ({ x: [1, 2] }) }, 'draws x: expected a HostArray float32[4, 3], got object'],
  [{ classNames: ['a'] }, 'draws label: expected a HostArray int32[4], got undefined'],
])('a draw of another shape is refused: %j', (changes, message) => {
  const dataset = drawnDataset({ ...options, ...changes } as DrawnDatasetOptions);
  expect(() => dataset.batch(key, 0, 4)).toThrow(message);
});

test('rows that are there: held out by seed, normalised over the training rows, conditions row by row', () => {
  const count = 50;
  const x = new HostArray(
    'float64',
    [count, 1],
    Float64Array.from({ length: count }, (_, i) => 10 * i),
  );
  const values = new HostArray(
    'float32',
    [count, 2],
    Float32Array.from({ length: 2 * count }, (_, i) => i),
  );
  const dataset = rowsDataset({ name: 'mine', x, conditions: { given: { values, columns: ['a', 'b'] } } });
  expect(dataset.sizes).toEqual({ train: 40, test: 10 });
  expect(dataset.conditions?.given).toMatchObject({
    kind: 'vector',
    shape: [2],
    normalisation: { kind: 'standard' },
  });
  const all = dataset.reference('train', key, count);
  const { data } = all.x;
  expect(data.reduce((sum, value) => sum + value, 0) / 40).toBeCloseTo(0, 5);
  expect(data.reduce((sum, value) => sum + value ** 2, 0) / 40).toBeCloseTo(1, 5);
  // Both rise with the row's number, so each row has its own condition.
  const given = all.conditions!.given!.data;
  for (let i = 0; i < 40; i++) expect(given[2 * i]).toBeCloseTo(data[i]!, 5);
  const batch = dataset.batch(key, 3, 8);
  for (let i = 0; i < 8; i++) expect(batch.conditions!.given!.data[2 * i]).toBeCloseTo(batch.x.data[i]!, 5);
});

test.each([
  [{ label: [0, 1] }, 'has 4 rows in x, and 2 in label'],
  [{ label: [0, 1, 0, 1] }, 'has labels: name its classes'],
  [{ label: [0, 1, 2, 0], classNames: ['a', 'b'] }, 'has label 2 in row 2: expected a class from 0 to 1'],
  [{ label: [0, 0.5, 1, 0], classNames: ['a', 'b'] }, 'has label 0.5 in row 1'],
  [{ label: [-1, 0, 1, 0], classNames: ['a', 'b'] }, 'has label -1 in row 0'],
  [{ classNames: ['a', 'b'] }, 'has classes: give the class of each row (label)'],
  [{ conditions: { a: { values: key.normal([3, 1]) } } }, 'has 4 rows in x, and 3 in a'],
  [{ lable: [0, 1, 0, 1] }, 'has no option "lable"'],
])('rows that do not fit are refused: %j', (changes, message) => {
  expect(() => rowsDataset({ name: 'mine', x: key.normal([4, 2]), ...changes })).toThrow(message);
});

test.each([
  [{ x: {} }, 'expected a HostArray for x, got an object'],
  [{ conditions: { a: { values: [1, 2, 3, 4] } } }, 'expected a HostArray for a, got an array of 4'],
  [{ label: ['a', 'b', 'a', 'b'], classNames: ['a', 'b'] }, 'has label "a" in row 0'],
  [
    { x: new HostArray('float32', [3, 2], new Float32Array([0, 1, 2, NaN, 4, 5])) },
    'found NaN in row 1 of x',
  ],
])('rows of plain JavaScript that are none are refused: %j', (changes, message) => {
  const given = { name: 'mine', x: key.normal([4, 2]), ...changes };
  expect(() => rowsDataset(given as RowsDatasetOptions)).toThrow(message);
});

test.each<Partial<Dataset> | undefined>([undefined, {}, { name: 'mine', columns: [] }])(
  'an entry that opens no data set is told so: %j',
  async (found) => {
    const entry = datasets.check({ name: 'opens-none', open: () => found as Dataset });
    await expect(entry.open({})).rejects.toThrow(
      'The data set "opens-none": expected that open gives a Dataset',
    );
  },
);

test('an entry needs a name and how it is opened', async () => {
  datasets.register({ name: 'turned', open: () => drawnDataset(options) });
  expect(datasets.get('turned').description).toBe('');
  expect((await openDataset('turned')).featureShape).toEqual([3]);
  expect(() => datasets.register({ name: 'none' } as never)).toThrow(
    'The data set "none": open is a function, got undefined.',
  );
});
