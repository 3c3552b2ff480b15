/**
 * Trains MeanFlow on eight Gaussians, then draws samples with one network evaluation each.
 *
 *     npm run build && node examples/dist/one-step.js [steps]
 */
import { ortBackend } from '@meanflow/backend-ort';
import { RandomKey } from '@meanflow/core';
import { distributionDataset, eightGaussians } from '@meanflow/data';
import { slicedWasserstein2 } from '@meanflow/metrics';
import { meanFlow, mlp } from '@meanflow/models';
import { averageVelocity, createSampler } from '@meanflow/samplers';
import { adam, cosineSchedule, Trainer, train } from '@meanflow/training';

const steps = Number(process.argv[2] ?? 3000);
const backend = await ortBackend({ ort: () => import('onnxruntime-node'), device: 'cpu' });
const embedding = { kind: 'fourier', frequencies: 1 } as const;
const intervals = { t: { kind: 'uniform' }, equalShare: 0.25 } as const;
const network = mlp({ kind: 'mlp', featureShape: [2], width: 128, depth: 3, embedding });
const trainer = await Trainer.create({
  backend,
  network,
  objective: meanFlow({ kind: 'meanflow', intervals, weight: { power: 0.6, epsilon: 0.01 } }),
  optimizer: adam({ learningRate: cosineSchedule(4e-3, 0, steps), beta2: 0.95 }),
  data: distributionDataset(eightGaussians),
  batchSize: 256,
  seed: 0,
});
await train(trainer, { steps });

const key = RandomKey.fromSeed(1);
const noise = key.fold('noise').normal([5000, 2]);
const params = await trainer.parameters();
const sampler = createSampler(backend, network);
export const result = await sampler.sample({ params, noise, solver: averageVelocity, times: [1, 0] });

const data = eightGaussians.sample(key.fold('data'), 5000);
export const distance = slicedWasserstein2(result.samples, data);
console.log(`Sliced Wasserstein-2 at ${result.nfe} NFE: ${distance.toFixed(3)}`);
console.log(`The noise it began with: ${slicedWasserstein2(noise, data).toFixed(3)}`);
await backend.dispose();
