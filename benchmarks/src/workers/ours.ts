/**
 * A case on this project, through the doors that users take: `Trainer.advance` and `Sampler.sample`.
 *
 *     node ours.js FOLDER BACKEND all|different THREADS [gradients]
 *
 * `gradients` prints the first step's loss and the norm of its gradient, and ends: a process of its own, so that its memory
 * is not measured.
 */
import { ortBackend } from '@meanflow/backend-ort';
import type { Backend } from '@meanflow/core';
import { createNetwork } from '@meanflow/models';
import { averageVelocity, createSampler } from '@meanflow/samplers';
import { readCase } from '../case-folder.js';
import { advance, createTrainer, gradientOf } from '../train-step.js';
import { say, serveSampling, serveTraining } from './serve.js';

say('imported');
const [folder = '', backendName = 'ort:cpu', rows, threads = '1', what] = process.argv.slice(2);
const { benchmark, ...workload } = readCase(folder);
const backend = await open(backendName, Number(threads));

if (benchmark.task === 'sample') {
  const { params, arrays } = workload;
  const sampler = createSampler(backend, createNetwork(benchmark.network), { params, borrow: true });
  const request = { noise: arrays.noise!, solver: averageVelocity, times: [1, 0], borrow: true };
  await serveSampling(async () => (await sampler.sample(request)).samples.data);
  await sampler.dispose();
} else {
  const trainer = await createTrainer(backend, benchmark, workload, rows === 'different' ? rows : 'all');
  if (what === 'gradients') {
    const { loss, gradientNorm } = await gradientOf(trainer);
    say('ready', { losses: [loss], gradientNorm });
  } else {
    await serveTraining(() => advance(trainer));
  }
  await trainer.dispose();
}
await backend.dispose();

/** What a program on the processor imports is all that is loaded for it. */
async function open(name: string, count: number): Promise<Backend> {
  if (name === 'ort:cpu') return ortBackend({ ort: () => import('onnxruntime-node'), threads: count });
  const { backends } = await import('@meanflow/runs/node');
  return backends.get(name).open({ threads: count });
}
