import { ArgumentError } from '@meanflow/core';
import { adaptiveRungeKutta, rungeKutta, tableaus } from '../../src/index.js';

const { heun, rk4, dormandPrince } = tableaus;

test.each<[string, object, RegExp]>([
  ['a row that does not add up', { a: [[], [0.9]] }, /"heun": a\[1\] must add up to c\[1\] = 1, got 0.9/],
  ['an implicit row', { a: [[], [0, 1]] }, /a\[1\] holds at most 1 finite weights, got \[0, 1\]/],
  ['weights that are none', { b: [0.5, NaN] }, /b holds at most 2 finite weights/],
  ['weights that add up to another number', { b: [0.5, 0.25] }, /order 2 needs Σ b = 1, got 0.75/],
  ['a missing row', { a: [[]] }, /2 times \[0, 1\] and 1 rows/],
  ['a first stage that is not at the start', { c: [0.5, 1] }, /first time being 0/],
  ['a stage that goes nowhere', { c: [0, 0], a: [[], [0]] }, /a\[1\] has no weight but 0/],
  ['an order that it has not', { order: 3 }, /order 3 needs Σ b c² = 0.333\d+, got 0.5/],
  ['an order that is none', { order: 0 }, /order is a positive whole number, got 0/],
])('%s is refused', (_, change, message) => {
  const make = () => rungeKutta({ ...heun, ...change });
  expect(make).toThrow(ArgumentError);
  expect(make).toThrow(message);
});

test('one wrong coefficient in a method of the fourth order is noticed, wherever it is', () => {
  // The rows and times still agree, and the weights add up to 1.
  expect(() => rungeKutta({ ...rk4, a: [[], [1 / 2], [1 / 2], [0, 0, 1]] })).toThrow(/Σ b A c = /);
  expect(() => rungeKutta({ ...rk4, b: { parts: [1, 1, 3, 1], of: 6 } })).toThrow(/Σ b A c = /);
  const c = [0, 1 / 4, 3 / 4, 1];
  expect(() => rungeKutta({ ...rk4, c, a: [[], [1 / 4], [0, 3 / 4], [0, 0, 1]] })).toThrow(/Σ b c² = /);
});

test('an error estimate of another order is refused', () => {
  expect(() => adaptiveRungeKutta({ ...dormandPrince, errorOrder: 0 })).toThrow(/errorOrder is a positive/);
  const whole = { ...dormandPrince, error: dormandPrince.b };
  expect(() => adaptiveRungeKutta(whole)).toThrow(/errorOrder 4 needs Σ error = 0, got 0.9/);
  const error = { parts: [-1, 1], of: 2 };
  expect(() => adaptiveRungeKutta({ ...heun, error, errorOrder: 1 })).not.toThrow();
  expect(() => adaptiveRungeKutta({ ...heun, error, errorOrder: 2 })).toThrow(
    /errorOrder 2 needs Σ error c = 0, got 0.5/,
  );
});
