import { readFileSync } from 'node:fs';
import { cos, HostArray, hostArray, mul, RandomKey, sin } from '@meanflow/core';
import { interpret } from '@meanflow/core/backend';
import {
  averageVelocity,
  checkGrid,
  fixedStepSolvers,
  perRow,
  sampleGraph,
  uniformGrid,
} from '../../src/index.js';
import { formula, gaussian, maxDifference } from '../helpers.js';

const scipy = JSON.parse(readFileSync(new URL('../data/scipy-rk45.json', import.meta.url), 'utf8')) as {
  z1: number[];
  exact: number[];
};

/** dz/dt = sin(3 z) + z cos(5 t) */
const problem = formula([4], {}, (_, { z, t }) => sin(mul(z, 3)).add(z.mul(perRow(cos(mul(t, 5)), z))));

test.each(['euler', 'midpoint', 'heun', 'rk4'])('%s converges at its order, and counts', (name) => {
  const solver = fixedStepSolvers[name];
  const errors = [128, 256].map((steps) => {
    const { graph, nfe } = sampleGraph(problem, {}, { rows: 1, solver, times: uniformGrid(steps) });
    expect(nfe).toBe(steps * solver.evaluationsPerStep);
    const noise = new HostArray('float64', [1, 4], Float64Array.from(scipy.z1));
    return maxDifference(interpret(graph, { 'values/noise': noise }).samples.data, scipy.exact);
  });
  expect(Math.abs(Math.log2(errors[0] / errors[1]) - solver.order)).toBeLessThan(0.15);
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
