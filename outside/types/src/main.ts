/** All of it together: trained, sampled and judged on the reference interpreter. */
import { RandomKey, referenceBackend } from '@meanflow/core';
import { averageVelocity, createSampler } from '@meanflow/samplers';
import { adam, ema, train, Trainer } from '@meanflow/training';
import { arc } from './data.js';
import { offCircle } from './metric.js';
import { network, type OwnParameters } from './network.js';
import { ownObjective } from './objective.js';

const backend = referenceBackend();
const trainer = await Trainer.create({
  backend,
  network,
  objective: ownObjective<OwnParameters>(),
  optimizer: adam({ learningRate: 1e-2 }),
  ema: ema({ decays: [0.9] }),
  data: arc,
  batchSize: 32,
  seed: 0,
});
const summary = await train(trainer, { steps: 5 });
if (summary.step !== 5) throw new Error(`5 steps were asked for, ${summary.step} were made.`);

const key = RandomKey.fromSeed(1);
const reference = arc.reference('test', key, 64);
const { samples } = await createSampler(backend, network).sample({
  params: await trainer.parameters(),
  noise: key.fold('noise').normal([64, 2]),
  ...(reference.conditions && { conditions: reference.conditions }),
  solver: averageVelocity,
  times: [1, 0],
});
const value: number = offCircle.evaluate({ samples, reference: reference.x }, key);
if (!Number.isFinite(value)) throw new Error(`The metric is ${value}.`);
await backend.dispose();
