/** The rows of a batch, of every array of a tree alike. */
import { hostArray, rowsOf, ArgumentError } from '../src/index.js';

const whole = {
  x: hostArray([[1, 2], [3, 4], [5, 6]]), // prettier-ignore
  draws: [hostArray([7, 8, 9]), hostArray(10)],
};

test('takes the rows that are named, and scalars for all', () => {
  const { x, draws } = rowsOf(whole, { from: 1, to: 3, of: 3 });
  expect([x.shape, [...x.data]]).toEqual([[2, 2], [3, 4, 5, 6]]); // prettier-ignore
  expect(draws.map(({ data }) => [...data])).toEqual([[8, 9], [10]]);
});

test('parts in their order are the whole', () => {
  const parts = [[0, 1], [1, 3]].map(([from, to]) => rowsOf(whole, { from: from!, to: to!, of: 3 })); // prettier-ignore
  expect(parts.flatMap(({ x }) => [...x.data])).toEqual([...whole.x.data]);
  expect(parts.flatMap(({ draws }) => [...draws[0]!.data])).toEqual([7, 8, 9]);
});

test.each([
  [0, 0],
  [2, 1],
  [-1, 2],
  [0, 4],
  [0.5, 2],
])('refuses rows from %d to %d', (from, to) => {
  expect(() => rowsOf(whole, { from, to, of: 3 })).toThrow(ArgumentError);
});

test('refuses arrays of other rows, by their names', () => {
  expect(() => rowsOf(whole, { from: 0, to: 1, of: 2 })).toThrow('"draws/0" is');
});
