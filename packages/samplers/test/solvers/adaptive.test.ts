import { readFileSync } from 'node:fs';
import { cos, HostArray, MeanflowError, mul, RandomKey, referenceBackend, sin } from '@meanflow/core';
import {
  adaptiveRungeKutta,
  createSampler,
  dormandPrince,
  perRow,
  uniformGrid,
  type EmbeddedTableau,
} from '../../src/index.js';
import { formula, gaussian, maxDifference } from '../helpers.js';

const scipy = JSON.parse(readFileSync(new URL('../data/scipy-rk45.json', import.meta.url), 'utf8')) as {
  z1: number[];
  exact: number[];
  runs: { relativeTolerance: number; absoluteTolerance: number; nfev: number; steps: number; z: number[] }[];
};

/** dz/dt = sin(3 z) + z cos(5 t) */
const problem = formula([4], {}, (_, { z, t }) => sin(mul(z, 3)).add(z.mul(perRow(cos(mul(t, 5)), z))));
const noise = new HostArray('float32', [1, 4], Float32Array.from(scipy.z1));

test.each(scipy.runs)('takes the steps that SciPy takes at $relativeTolerance', async (run) => {
  const { relativeTolerance, absoluteTolerance } = run;
  const solver = dormandPrince({ relativeTolerance, absoluteTolerance });
  await using sampler = createSampler(referenceBackend(), problem);
  const result = await sampler.sample({ params: {}, noise, solver, times: [1, 0] });
  expect(result.nfe).toBe(run.nfev);
  expect(2 + 6 * (run.steps + result.rejectedSteps)).toBe(run.nfev);
  // Starting values and times are rounded to float32.
  expect(maxDifference(result.samples.data, run.z)).toBeLessThan(5e-7);
});

/** The pair 3(2) of Bogacki and Shampine (1989), whose last stage lies at the solution. */
const bogackiShampine: EmbeddedTableau = {
  name: 'bogacki-shampine',
  order: 3,
  c: [0, 1 / 2, 3 / 4, 1],
  a: [[], [1 / 2], [0, 3 / 4], [2 / 9, 1 / 3, 4 / 9]],
  b: [2 / 9, 1 / 3, 4 / 9, 0],
  error: [2 / 9 - 7 / 24, 1 / 3 - 1 / 4, 4 / 9 - 1 / 3, -1 / 8],
  errorOrder: 2,
};

/** Heun's method with Euler's in it: the velocity at the solution is none of its stages. */
const heunEuler: EmbeddedTableau = {
  name: 'heun-euler',
  order: 2,
  c: [0, 1],
  a: [[], [1]],
  b: { parts: [1, 1], of: 2 },
  error: { parts: [-1, 1], of: 2 },
  errorOrder: 1,
};

test.each([
  [bogackiShampine, 3],
  [heunEuler, 2],
])('$name, a tableau of the caller, keeps its error near the tolerance', async (tableau, perStep) => {
  await using sampler = createSampler(referenceBackend(), problem);
  const errors: number[] = [];
  for (const tolerance of [1e-3, 1e-5]) {
    const solver = adaptiveRungeKutta(tableau, {
      relativeTolerance: tolerance,
      absoluteTolerance: tolerance,
    });
    expect(solver.evaluationsPerStep).toBe(perStep);
    const { samples, nfe } = await sampler.sample({ params: {}, noise, solver, times: [1, 0] });
    expect((nfe - 2) % perStep).toBe(0);
    errors.push(maxDifference(samples.data, scipy.exact) / tolerance);
  }
  expect(Math.max(...errors)).toBeLessThan(20);
  expect(Math.min(...errors)).toBeGreaterThan(0.02);
});

test('passes through every time of the grid', async () => {
  await using sampler = createSampler(referenceBackend(), gaussian, { batchSize: 2 });
  const key = RandomKey.fromSeed(1);
  const z = key.normal([5, 1]);
  const params = gaussian.init(key);
  const times = uniformGrid(4);
  const request = { params, noise: z, solver: dormandPrince({ relativeTolerance: 1e-6 }), times };
  const { trajectory, nfe } = await sampler.sample({ ...request, trajectory: true });
  trajectory!.forEach((states, i) => {
    const t = times[i];
    const deviation = Math.sqrt(((1 - t) * 0.5) ** 2 + t ** 2);
    const exact = Array.from(z.data, (value) => (1 - t) * 1.5 + deviation * value);
    expect(maxDifference(states.data, exact)).toBeLessThan(2e-5);
  });
  expect(nfe).toBeGreaterThan(2 + 6 * 4 - 1);
});

test('says when it cannot reach its tolerance', async () => {
  await using sampler = createSampler(referenceBackend(), problem);
  const few = dormandPrince({ relativeTolerance: 1e-6, maxSteps: 3 });
  const sampling = sampler.sample({ params: {}, noise, solver: few, times: [1, 0] });
  await expect(sampling).rejects.toThrow(MeanflowError);
  await expect(sampling).rejects.toThrow(/made 3 steps and only came to t = 0\.\d+/);
});

test('says when the velocity is not a number', async () => {
  const broken = formula([4], {}, (_, { z }) => mul(z, Infinity));
  await using sampler = createSampler(referenceBackend(), broken);
  const sampling = sampler.sample({ params: {}, noise, solver: dormandPrince(), times: [1, 0] });
  await expect(sampling).rejects.toThrow(/not finite/);
});

test('tolerances are checked', () => {
  expect(() => dormandPrince({ relativeTolerance: -1 })).toThrow(/relative -1/);
  expect(() => dormandPrince({ maxSteps: 0 })).toThrow(/maxSteps.*got 0/);
});
