import {
  bestIndex,
  bytesText,
  countText,
  durationText,
  median,
  metricText,
  rateText,
} from '../../src/report/numbers.js';

it.each([
  [0.0791, '', '0.079'],
  [0.00056, '', '0.0006'],
  [-0.00012, '', '−0.0001'],
  [-0.000001, '', '0.0000'],
  [6.512, '', '6.51'],
  [35.26, '', '35.3'],
  [1234.5, '', '1235'],
  [0.034, 'share', '3.4 %'],
  [0.5, 'share', '50 %'],
  [0, 'share', '0 %'],
  [Number.NaN, '', 'not finite'],
])('%d with unit "%s" reads %s', (value, unit, text) => {
  expect(metricText(value, { unit })).toBe(text);
});

it('writes times and counts for people', () => {
  expect([3.14, 48.2, 200, 3900].map(durationText)).toEqual(['3.1 s', '48 s', '3 min 20 s', '1 h 5 min']);
  expect(durationText(59.7)).toBe('1 min 0 s');
  expect(countText(1648192)).toBe('1,648,192');
});

it('writes rates that are slow with what they have', () => {
  expect([0.1234, 2.161, 9.94, 9.96, 1648.4].map(rateText)).toEqual(['0.12', '2.2', '9.9', '10', '1,648']);
});

it('writes sizes in powers of a thousand', () => {
  expect([0, 999, 3440, 2_441_732_224].map(bytesText)).toEqual([
    '0 bytes',
    '999 bytes',
    '3.44 kB',
    '2.44 GB',
  ]);
});

it('finds the middle of odd and even counts', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});

it('finds the best value by what good means', () => {
  const values = [undefined, 0.4, 1.1, Number.NaN, -0.2];
  expect(bestIndex(values, 'lower')).toBe(4);
  expect(bestIndex(values, 'higher')).toBe(2);
  expect(bestIndex(values, 'one')).toBe(2);
  expect(bestIndex([undefined, Number.NaN], 'lower')).toBe(-1);
});
