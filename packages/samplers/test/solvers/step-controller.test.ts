import { firstSize, nextSize, trialSize } from '../../src/solvers/step-controller.js';

test('the first step follows from how fast z and its velocity change', () => {
  expect(trialSize(2, 4, 1)).toBeCloseTo(0.005, 12);
  expect(trialSize(2, 4, 0.001)).toBe(0.001);
  expect(trialSize(0, 4, 1)).toBe(1e-6);
  // (0.01 / 8)^(1/2) of a method whose error estimate is of the first order.
  expect(firstSize(0.005, 8, 1, 1)).toBeCloseTo(0.01 ** 0.5 / 8 ** 0.5, 12);
  expect(firstSize(1e-5, 8, 1, 1)).toBeCloseTo(1e-3, 12);
  expect(firstSize(0.005, 0, 1, 1)).toBeCloseTo(5e-6, 12);
  expect(firstSize(0.005, 8, 1, 1e-3)).toBe(1e-3);
});

test('a step is chosen from the error of the one before', () => {
  // An error of 1/16 of the tolerance, estimated to the third order: twice as long, and a tenth less to be safe.
  expect(nextSize(0.1, 1 / 16, 3, false)).toBeCloseTo(0.18, 12);
  expect(nextSize(0.1, 16, 3, false)).toBeCloseTo(0.045, 12);
  expect(nextSize(0.1, 0, 3, false)).toBeCloseTo(1, 12);
  expect(nextSize(0.1, 1e12, 3, false)).toBeCloseTo(0.02, 12);
  expect(nextSize(0.1, 1 / 16, 3, true)).toBe(0.1);
});
