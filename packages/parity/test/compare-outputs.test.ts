/** The comparison with a published tensor: every element counts, the last one too, and so does NaN. */
import { DataError, hostArray } from '@meanflow/core';
import { compareTensor } from '../src/vectors/compare-outputs.js';

const values = [0.5, -2, 1, 0.25];
const wanted = hostArray(values);
const compared = (got: readonly number[]) =>
  compareTensor('out/x', hostArray(got), wanted, undefined, { absolute: 1e-3 });

test('passes what is the same', () => {
  expect(compared(values)).toMatchObject({ tensor: 'out/x', error: 0, passed: true });
});

test.each([0, 1, 2, 3])('element %d', (at) => {
  const wrong = (by: number) => values.map((value, i) => (i === at ? value + by : value));
  for (const by of [0.5, -0.5]) expect(compared(wrong(by))).toMatchObject({ error: 0.5, passed: false });
  expect(compared(wrong(NaN))).toMatchObject({ error: Infinity, passed: false });
});

test('refuses another shape', () => {
  expect(() => compared([1, 2])).toThrow(DataError);
});
