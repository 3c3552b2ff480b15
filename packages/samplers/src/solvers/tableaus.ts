/**
 * The Runge–Kutta methods that are known by name, as tableaus. Common denominators are where the textbooks print
 * them.
 */
import type { ButcherTableau, EmbeddedTableau } from './tableau.js';

/** Euler's method. */
export const euler: ButcherTableau = { name: 'euler', order: 1, c: [0], a: [[]], b: [1] };

/** The explicit midpoint method: the velocity half way. */
export const midpoint: ButcherTableau = {
  name: 'midpoint',
  order: 2,
  c: [0, 1 / 2],
  a: [[], { parts: [1], of: 2 }],
  b: [0, 1],
};

/** Heun's method (the explicit trapezoidal rule): the mean of the velocities at both ends. */
export const heun: ButcherTableau = {
  name: 'heun',
  order: 2,
  c: [0, 1],
  a: [[], [1]],
  b: { parts: [1, 1], of: 2 },
};

/** The classical method (Kutta, 1901). */
export const rk4: ButcherTableau = {
  name: 'rk4',
  order: 4,
  c: [0, 1 / 2, 1 / 2, 1],
  a: [[], { parts: [1], of: 2 }, { parts: [0, 1], of: 2 }, [0, 0, 1]],
  b: { parts: [1, 2, 2, 1], of: 6 },
};

/**
 * The Dormand–Prince pair 5(4) (Dormand and Prince, "A family of embedded Runge–Kutta formulae", 1980). Its last
 * stage lies at the solution.
 */
export const dormandPrince: EmbeddedTableau = {
  name: 'dormand-prince',
  order: 5,
  c: [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1],
  a: [
    [],
    [1 / 5],
    [3 / 40, 9 / 40],
    [44 / 45, -56 / 15, 32 / 9],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
    [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
  ],
  b: [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
  error: [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40],
  errorOrder: 4,
};
