import { ArgumentError } from '../src/errors.js';
import { each, leading, pick } from '../src/known.js';

test('leading gives the first items, and refuses a list of fewer', () => {
  const [height, width] = leading([2, 3, 4], 2);
  expect([height, width]).toEqual([2, 3]);
  expect([...leading(Float32Array.of(1, 2), 1)]).toEqual([1]);
  expect(() => leading([2], 2)).toThrow(new ArgumentError('Expected 2 or more items, got 1.'));
});

test('pick gives the entries of names that are there, and names one that is not', () => {
  const { a } = pick({ a: 1, b: 2 }, 'a');
  expect(a).toBe(1);
  expect(() => pick({ a: 1, b: 2 }, 'a', 'toString')).toThrow(
    new ArgumentError('There is no "toString"; there are a, b.'),
  );
});

test('each maps a tuple to a tuple, item by item', () => {
  const [first, second]: readonly [string, string] = each([7, 8], (n, i) => `${i}: ${n}`);
  expect([first, second]).toEqual(['0: 7', '1: 8']);
});
