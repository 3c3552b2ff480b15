/**
 * Trains MeanFlow on data of which the average velocity is known, N(1.5, 0.5²) on the line, and prints how far the
 * network is from it.
 *
 *     npm run build && node examples/dist/exact-gaussian.js [steps]
 *
 * Trajectories of the flow keep their place within the distribution: z_r = (1 − r) μ + s(r) / s(t) · (z − (1 − t) μ),
 * where s(t)² = (1 − t)² σ² + t² is the variance at time t and μ = 1.5, σ = 0.5. So u(z, r, t) = (z − z_r) / (t − r).
 *
 * The relative error is √(Σ w (û − u)² / Σ w u²) over the 55 intervals with 0 ≤ r < t ≤ 1 in multiples of 1/10, each
 * with 61 points z, three standard deviations about the mean, weighted by the density of z at time t; every
 * interval weighs the same.
 */
import { ortBackend } from '@meanflow/backend-ort';
import { compile, hostArray, trace, type HostArray, type RandomKey } from '@meanflow/core';
import { meanFlow, mlp, type MlpParameters } from '@meanflow/models';
import { adam, cosineSchedule, ema, emaKey, train, Trainer } from '@meanflow/training';

const [MEAN, DEVIATION] = [1.5, 0.5];
const steps = Number(process.argv[2] ?? 10_000);

// Batches that follow from the run's key and the step alone.
const data = {
  batch: (key: RandomKey, step: number, size: number) => {
    const noise = key.fold(step).normal([size, 1]).data;
    return {
      x: hostArray(
        noise.map((n) => MEAN + DEVIATION * n),
        { shape: [size, 1] },
      ),
    };
  },
};

const backend = await ortBackend({ ort: () => import('onnxruntime-node'), device: 'cpu', threads: 1 });
const embedding = { kind: 'fourier', frequencies: 1 } as const;
const network = mlp({ kind: 'mlp', featureShape: [1], width: 64, depth: 3, embedding });
const trainer = await Trainer.create({
  backend,
  network,
  // Without adaptive weight: the error is then an expectation under the path's own distribution.
  objective: meanFlow({
    kind: 'meanflow',
    intervals: { t: { kind: 'uniform' }, equalShare: 0.25 },
    weight: { power: 0, epsilon: 1e-2 },
  }),
  optimizer: adam({ learningRate: cosineSchedule(4e-3, 0, steps), beta2: 0.95 }),
  ema: ema({ decays: [0.99] }),
  data,
  batchSize: 512,
  seed: 0,
});

const deviationAt = (t: number): number => Math.hypot((1 - t) * DEVIATION, t);

/** The exact average velocity from time t to time r < t. */
export function exactVelocity(z: number, r: number, t: number): number {
  const arrival = (1 - r) * MEAN + (deviationAt(r) / deviationAt(t)) * (z - (1 - t) * MEAN);
  return (z - arrival) / (t - r);
}

// The points at which the network is compared with it.
const grid: { z: number; r: number; t: number; u: number; weight: number }[] = [];
for (let end = 1; end <= 10; end++) {
  for (let start = 0; start < end; start++) {
    for (let place = -3; place < 3.05; place += 0.1) {
      const [r, t] = [start / 10, end / 10];
      const z = (1 - t) * MEAN + place * deviationAt(t);
      grid.push({ z, r, t, u: exactVelocity(z, r, t), weight: Math.exp(-(place ** 2) / 2) });
    }
  }
}
const points = {
  z: hostArray(grid.map(({ z }) => [z])),
  t: hostArray(grid.map(({ t }) => t)),
  h: hostArray(grid.map(({ r, t }) => t - r)),
};
const evaluate = await compile(
  backend,
  trace(({ params, points }) => network.apply(params, points).u, {
    params: trainer.initialState.params,
    points,
  }),
);

async function relativeError(params: MlpParameters): Promise<number> {
  const found: HostArray = await (await evaluate.run({ params, points })).read();
  let [error, size] = [0, 0];
  grid.forEach(({ u, weight }, i) => {
    error += weight * (found.data[i]! - u) ** 2;
    size += weight * u ** 2;
  });
  return Math.sqrt(error / size);
}

/** The error before training and on the way. */
export const errors: number[] = [];
for (const share of [0, 0.05, 0.25, 1]) {
  if (share > 0) await train(trainer, { steps: Math.ceil(share * steps) });
  errors.push(await relativeError(await trainer.parameters(emaKey(0.99))));
  console.log(`${trainer.step} steps: relative error of u ${errors.at(-1)!.toFixed(4)}`);
}
await backend.dispose();
