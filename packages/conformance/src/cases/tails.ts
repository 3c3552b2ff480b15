/**
 * Tails: values, slopes and second derivatives where a function is small, or differs little from its limit. Tolerances are
 * relative to each value, so that a tail that is flushed to 0, or is what is left of a difference of ones, is noticed.
 */
import {
  erf,
  erfc,
  exp,
  gelu,
  grad,
  log1p,
  neg,
  sigmoid,
  silu,
  softmax,
  softplus,
  sum,
  tanh,
  type Tensor,
} from '@meanflow/core';
import { valueCase } from './build.js';
import type { Aspect, GraphCase } from './case.js';
import { f32 } from './inputs.js';

type Unary = (x: Tensor) => Tensor;

const NEAR_0 = [1e-30, -1e-20, 1e-10, -1e-6, 1e-4, -0.003, 0.03, -0.2];
const FAR = [1, -1.5, 2, -3, 4, -5, 6, -8, 10, -12, 15, -17, 19, -20, 25, -30, 40, -50, 70, -80];

/** Functions, where they are small or near their limit, and whether they have a tail on either side. */
const FUNCTIONS: readonly (readonly [op: string, f: Unary, at: readonly number[], aspect: Aspect])[] = [
  ['exp', exp, [...NEAR_0, ...FAR], 'values'],
  ['log1p', log1p, [...NEAR_0, 0.4999, 0.5, -0.4999, -0.5, -0.9, 1, 3, 1e6, 1e30], 'values'],
  ['tanh', tanh, [...NEAR_0, ...FAR], 'values'],
  ['sigmoid', sigmoid, [...NEAR_0, ...FAR], 'values'],
  ['erf', erf, [...NEAR_0, ...FAR], 'values'],
  ['erfc', erfc, [...NEAR_0, 0.5, 1, 2, -2, 3, 4, -4, 5, 6, 7, 8, 9, -9], 'values'],
  ['softplus', softplus, [...NEAR_0, ...FAR], 'composites'],
  ['softplus', (x) => neg(softplus(neg(x))), [...NEAR_0, ...FAR], 'composites'],
  ['silu', silu, [...NEAR_0, ...FAR], 'composites'],
  ['gelu', (x) => gelu(x), [...NEAR_0, 1, -1.5, 2, -3, 4, -5, 6, -8, 9, -10, -12, 20], 'composites'],
  ['geluTanh', (x) => gelu(x, { approximate: 'tanh' }), [...NEAR_0, 1, -1.5, 2, -3, 4, -5, 6, -7, 9, -8, -9, 20], 'composites'],
]; // prettier-ignore

const slope =
  (f: Unary): Unary =>
  (x) =>
    grad((y: Tensor) => sum(f(y)))(x);

/** All of them. */
export function tailCases(): GraphCase[] {
  return FUNCTIONS.flatMap(([op, f, at, aspect], i) => {
    const name = i > 0 && FUNCTIONS[i - 1]![0] === op ? 'of the negative' : '';
    const inputs = () => [f32(at)];
    return [
      valueCase(op, `tails ${name}`.trim(), f, inputs, { aspect }),
      valueCase(op, `slope in the tails ${name}`.trim(), slope(f), inputs, { aspect: 'derivatives' }),
      valueCase(op, `second derivative in the tails ${name}`.trim(), slope(slope(f)), inputs, {
        aspect: 'derivatives',
      }),
    ];
  }).concat([
    valueCase('softmax', 'small shares', softmax, () => [f32([0, -5, -20, -50, -80, 3, -30, 2, 30, -40], [2, 5])], { aspect: 'composites' }),
  ]); // prettier-ignore
}
