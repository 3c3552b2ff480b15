/** What data that are no table were given is written beside their samples, by the names of its columns. */
import { hostArray } from '@meanflow/core';
import { sampleTable } from '../src/sample-table.js';

const normalisation = { kind: 'standard', mean: [0, 0], scale: [1, 1] } as const;
const data = {
  name: 'compass',
  columns: ['x', 'y'],
  featureShape: [2],
  imageShape: undefined,
  classNames: undefined,
  normalisation,
  conditions: { given: { kind: 'vector', shape: [2], columns: ['east', 'north'], normalisation } },
} as const;
const samples = hostArray([
  [1, 2],
  [3, 4],
]);
const given = hostArray([
  [0, 1],
  [0.5, 0.25],
]);

test('what was given follows the features, by name', () => {
  expect(sampleTable(samples, undefined, data, { given })).toEqual({
    names: ['x', 'y', 'east', 'north'],
    rows: [
      [1, 2, 0, 1],
      [3, 4, 0.5, 0.25],
    ],
  });
});

test('where nothing was given there are the features', () => {
  expect(sampleTable(samples, undefined, data).names).toEqual(['x', 'y']);
});
