import { cos, HostArray, hostArray, mul, RandomKey } from '@meanflow/core';
import { interpret } from '@meanflow/core/backend';
import {
  averageVelocity,
  checkGrid,
  dormandPrince,
  euler,
  heun,
  midpoint,
  perRow,
  rk4,
  rungeKutta,
  sampleGraph,
  solvers,
  tableaus,
  uniformGrid,
  type ButcherTableau,
} from '../../src/index.js';
import { formula, gaussian, maxDifference } from '../helpers.js';

/** dz/dt = z² cos t, whose solutions are 1 / (c − sin t). */
const problem = formula([4], {}, (_, { z, t }) => mul(mul(z, z), perRow(cos(t), z)));
const end = [0.5, 1.25, -0.4, 2];
const exact = end.map((z) => 1 / (1 / z + Math.sin(1)));

/** Ralston's third-order method (1962), as somebody would write it who has it from a book. */
const ralston: ButcherTableau = {
  name: 'ralston-3',
  order: 3,
  c: [0, 1 / 2, 3 / 4],
  a: [[], [1 / 2], [0, 3 / 4]],
  b: { parts: [2, 3, 4], of: 9 },
};

test.each([
  [euler, 1, 1],
  [midpoint, 2, 2],
  [heun, 2, 2],
  [rk4, 4, 4],
  [rungeKutta(ralston), 3, 3],
  // Its last stage is for the error alone.
  [rungeKutta(tableaus.dormandPrince), 5, 6],
])('$name converges at its order, and counts', (solver, order, evaluations) => {
  expect([solver.order, solver.evaluationsPerStep]).toEqual([order, evaluations]);
  const [coarse, fine] = [64, 128].map((count) => {
    const { graph, nfe } = sampleGraph(problem, {}, { rows: 1, solver, times: uniformGrid(count) });
    expect(nfe).toBe(count * evaluations);
    const noise = new HostArray('float64', [1, 4], Float64Array.from(end));
    return maxDifference(interpret(graph, { 'values/noise': noise }).samples.data, exact);
  });
  expect(Math.abs(Math.log2(coarse / fine) - order)).toBeLessThan(0.15);
});

test('the solvers by name', () => {
  expect(solvers.names).toEqual(['average-velocity', 'euler', 'heun', 'midpoint', 'rk4', 'dormand-prince']);
  expect([solvers.get('heun'), solvers.get('dormand-prince')]).toEqual([heun, dormandPrince()]);
});

test.each([[[1, 0]], [[1, 0.7, 0.1, 0]], [uniformGrid(4)]])(
  'the average velocity is exact over the grid %j',
  (times) => {
    const key = RandomKey.fromSeed(0);
    const params = gaussian.init(key);
    const { graph, nfe } = sampleGraph(gaussian, params, { rows: 3, solver: averageVelocity, times });
    expect(nfe).toBe(times.length - 1);
    const noise = hostArray([-1.25, 0.25, 2.5], { shape: [3, 1] });
    const inputs = { 'params/mean': params.mean, 'params/variance': params.variance, 'values/noise': noise };
    // The flow maps standard deviations to standard deviations: z₀ = μ + σ z₁.
    expect(maxDifference(interpret(graph, inputs).samples.data, [0.875, 1.625, 2.75])).toBeLessThan(1e-12);
  },
);

test('grids', () => {
  expect(uniformGrid(1)).toEqual([1, 0]);
  expect(uniformGrid(4)).toEqual([1, 0.75, 0.5, 0.25, 0]);
  expect(() => uniformGrid(0)).toThrow(/positive whole number of steps, got 0/);
  expect(() => checkGrid([0, 1])).toThrow(/strictly decreasing.*\[0, 1\]/);
  expect(() => checkGrid([1])).toThrow(/two times/);
});
