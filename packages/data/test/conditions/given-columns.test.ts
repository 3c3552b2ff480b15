/** Columns that are given: they leave the features and become a condition, row by row. */
import { RandomKey } from '@meanflow/core';
import { csvDataset, denormalise, describeData, GIVEN, givenColumns, withTask } from '../../src/index.js';

const rows = Array.from({ length: 40 }, (_, i) => [i, 100 - i, i * i, i % 2 ? 'odd' : 'even']);
const bytes = new TextEncoder().encode(['a,b,c,kind', ...rows.map((row) => row.join())].join('\n'));
const table = csvDataset(bytes, { file: 'rows.csv', label: 'kind' });
const key = RandomKey.fromSeed(4);

test('rows stay together, in the order that was asked for', () => {
  const dataset = givenColumns(table, ['c', 'a']);
  expect(dataset).toMatchObject({ featureShape: [1], columns: ['b'], classCount: 2, name: 'rows.csv' });
  const condition = dataset.conditions![GIVEN]!;
  expect(condition).toMatchObject({ kind: 'vector', shape: [2], columns: ['c', 'a'] });
  const batches = [dataset.batch(key, 3, 16), dataset.reference('test', key, 100), dataset.reference('train', key, 5)]; // prettier-ignore
  for (const { x, label, conditions } of batches) {
    const b = denormalise(dataset.normalisation, x).data;
    const given = denormalise(condition.normalisation, conditions![GIVEN]!).data;
    b.forEach((value, row) => {
      const a = Math.round(given[2 * row + 1]!);
      expect([Math.round(value), Math.round(given[2 * row]!), label!.data[row]]).toEqual([100 - a, a * a, table.classNames!.indexOf(a % 2 ? 'odd' : 'even')]); // prettier-ignore
    });
  }
  // The rows, and what is normalised, are the table's.
  expect([...batches[0]!.label!.data]).toEqual([...table.batch(key, 3, 16).label!.data]);
});

test('the layout and the description say which they are', () => {
  const dataset = withTask(table, { kind: 'given', columns: ['b'] });
  expect(dataset.layout).toMatchObject([
    { name: 'a', integer: true },
    { name: 'b', given: true },
    { name: 'c' },
    { kind: 'label' },
  ]);
  expect(dataset.layout![0]).not.toHaveProperty('given');
  expect(describeData(dataset)).toContain('2 columns (a, c); 2 classes (even 20, odd 20); given: b; mean');
});

test('a source without names has its columns by number', () => {
  const plain = csvDataset(new TextEncoder().encode('1,2,3\n4,5,9\n7,8,1\n0,2,2\n'), { file: 'plain.csv' });
  expect(givenColumns(plain, ['3']).conditions![GIVEN]!.columns).toEqual(['column 3']);
});

test.each<[string, readonly string[], string]>([
  ['a column that is not there', ['ab'], '"rows.csv" has no column "ab" to be given, found a, b, c. Did you mean'],
  ['a column twice', ['a', 'b', 'a'], 'The column "a" of "rows.csv" is given twice.'],
  ['all', ['a', 'b', 'c'], 'Of the 3 columns of "rows.csv" 3 are given'],
  ['none', [], '0 are given'],
])('refuses %s', (_, names, message) => {
  expect(() => givenColumns(table, names)).toThrow(message);
}); // prettier-ignore
