/**
 * Butcher tableaus of explicit Runge–Kutta methods (Hairer, Nørsett and Wanner, "Solving Ordinary Differential
 * Equations I", section II.1), and the check that one is what it says: the conditions on its coefficients up to the
 * fourth order, which a mistyped number does not meet.
 */
import { ArgumentError } from '@meanflow/core';

/**
 * Weights of the velocities: as they are, or as parts of a denominator that they have in common, which then divides the
 * step once instead of each velocity. Those that are not given are 0.
 */
export type Weights = readonly number[] | { readonly parts: readonly number[]; readonly of: number };

/** An explicit Runge–Kutta method. */
export interface ButcherTableau {
  readonly name: string;
  /** Global error falls as (step size)^order. */
  readonly order: number;
  /** Time of each stage within the step, from 0 (the step's start) to 1; the first is 0. */
  readonly c: readonly number[];
  /** For each stage, the weights of the velocities before it. They add up to its `c`; the first stage has none. */
  readonly a: readonly Weights[];
  /** Weights of the velocities in the solution. They add up to 1. */
  readonly b: Weights;
}

/** A Runge–Kutta method with a second solution in it, by which it estimates its error. */
export interface EmbeddedTableau extends ButcherTableau {
  /** Weights of the solution less those of the second one, b − b̂; they add up to 0. */
  readonly error: Weights;
  /** Order of the second solution: the error estimate of a step falls as (step size)^(errorOrder + 1). */
  readonly errorOrder: number;
}

/** How far a sum of rounded coefficients may be from what it must be. */
const ROUNDING = 1e-6;

/** The weights as numbers. */
export function weightValues(weights: Weights): readonly number[] {
  return 'parts' in weights ? weights.parts.map((part) => part / weights.of) : weights;
}

const dot = (x: readonly number[], y: readonly number[]): number =>
  x.reduce((total, value, i) => total + value * (y[i] ?? 0), 0);

/** The sums that weights must give for a method of an order, up to the fourth: one for each rooted tree. */
function orderConditions(
  { c, a }: Pick<ButcherTableau, 'c' | 'a'>,
  order: number,
): { readonly factors: readonly number[]; readonly sum: number; readonly text: string }[] {
  const rows = a.map(weightValues);
  const through = (factors: readonly number[]) => rows.map((row) => dot(row, factors));
  const times = (factors: readonly number[]) => factors.map((factor, i) => factor * (c[i] ?? 0));
  const ones = c.map(() => 1);
  const squares = times(c);
  return [
    { of: 1, factors: ones, sum: 1, text: 'Σ b' },
    { of: 2, factors: c, sum: 1 / 2, text: 'Σ b c' },
    { of: 3, factors: squares, sum: 1 / 3, text: 'Σ b c²' },
    { of: 3, factors: through(c), sum: 1 / 6, text: 'Σ b A c' },
    { of: 4, factors: times(squares), sum: 1 / 4, text: 'Σ b c³' },
    { of: 4, factors: times(through(c)), sum: 1 / 8, text: 'Σ b c A c' },
    { of: 4, factors: through(squares), sum: 1 / 12, text: 'Σ b A c²' },
    { of: 4, factors: through(through(c)), sum: 1 / 24, text: 'Σ b A A c' },
  ].filter((condition) => condition.of <= order);
}

/**
 * @throws {ArgumentError} when the tableau is not explicit, its rows do not add up to its times, or its weights do not
 *   meet the conditions of its order (of the fourth, where it is higher)
 */
export function checkTableau(tableau: ButcherTableau | EmbeddedTableau): void {
  const { name, order, c, a, b } = tableau;
  const fail = (rule: string): never => {
    throw new ArgumentError(`The tableau "${name}": ${rule}.`);
  };
  const checkWeights = (what: string, weights: Weights, limit: number): void => {
    const values = weightValues(weights);
    if (values.length > limit || !values.every(Number.isFinite)) {
      fail(`${what} holds at most ${limit} finite weights, got [${values.join(', ')}]`);
    }
    if (limit > 0 && values.every((value) => value === 0)) fail(`${what} has no weight but 0`);
  };
  const checkOrder = (what: string, value: number): void => {
    if (!Number.isSafeInteger(value) || value < 1) fail(`${what} is a positive whole number, got ${value}`);
  };
  checkOrder('order', order);
  if (c.length === 0 || c.length !== a.length || c[0] !== 0) {
    fail(
      `c and a hold one entry for each stage, the first time being 0; got ${c.length} times [${c.join(', ')}] and ${a.length} rows`,
    );
  }
  a.forEach((row, i) => {
    checkWeights(`a[${i}]`, row, i);
    const sum = weightValues(row).reduce((total, weight) => total + weight, 0);
    if (!(Math.abs(sum - (c[i] ?? NaN)) < ROUNDING))
      fail(`a[${i}] must add up to c[${i}] = ${c[i]}, got ${sum}`);
  });
  checkWeights('b', b, c.length);
  for (const { factors, sum, text } of orderConditions(tableau, order)) {
    const given = dot(weightValues(b), factors);
    if (!(Math.abs(given - sum) < ROUNDING)) fail(`order ${order} needs ${text} = ${sum}, got ${given}`);
  }
  if (!('error' in tableau)) return;
  const { error, errorOrder } = tableau;
  checkOrder('errorOrder', errorOrder);
  checkWeights('error', error, c.length);
  for (const { factors, text } of orderConditions(tableau, errorOrder)) {
    const given = dot(weightValues(error), factors);
    if (!(Math.abs(given) < ROUNDING)) {
      fail(`errorOrder ${errorOrder} needs ${text.replace('b', 'error')} = 0, got ${given}`);
    }
  }
}
