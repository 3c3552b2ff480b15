/**
 * A case on this project, through the doors that users take: `Trainer.advance` and `Sampler.sample`.
 *
 *     node ours.js FOLDER BACKEND all|different THREADS [gradients]
 *
 * `all` takes the derivative on every row, as the peers do; `different` only where r ≠ t. `gradients` prints the first step's
 * loss and the norm of its gradient, and ends: a process of its own, so that its memory is not measured.
 */
import { ortBackend } from '@meanflow/backend-ort';
import { DataError, treeLeaves, type Backend, type HostArray } from '@meanflow/core';
import { createNetwork, createObjective } from '@meanflow/models';
import { averageVelocity, createSampler } from '@meanflow/samplers';
import { adamW, ema, Trainer } from '@meanflow/training';
import { objectiveConfig, training } from '../cases.js';
import { readCase } from '../workload.js';
import { say, serveSampling, serveTraining } from './serve.js';

say('imported');
const [folder = '', backendName = 'ort:cpu', rows = 'all', threads = '1', what] = process.argv.slice(2);
const { benchmark, params, arrays } = readCase(folder);
const backend = await open(backendName, Number(threads));
const network = createNetwork(benchmark.network);

if (benchmark.task === 'sample') {
  const sampler = createSampler(backend, network);
  const request = { params, noise: named('noise'), solver: averageVelocity, times: [1, 0], borrow: true };
  await serveSampling(async () => (await sampler.sample(request)).samples.data);
  await sampler.dispose();
} else {
  const objective = createObjective(objectiveConfig(benchmark.objective));
  const [x, noise, t, r] = [named('x'), named('noise'), named('t'), named('r')];
  const draws = { noise, t, ...(benchmark.objective !== 'flow-matching' && { r: intervalsOf(rows, t, r) }) };
  const trainer = await Trainer.create({
    backend,
    network: { ...network, init: () => params },
    objective: { ...objective, draw: () => draws },
    optimizer: adamW(training.optimizer),
    ema: ema({ decays: [training.emaDecay], rampUp: false }),
    data: { batch: () => ({ x }) },
    batchSize: benchmark.batch,
    seed: 0,
  });
  if (what === 'gradients') {
    const { loss, gradients } = await (await trainer.gradients()).read();
    const squares = treeLeaves<HostArray>(gradients).map((leaf) =>
      leaf.to('float32').data.reduce((sum, value) => sum + value ** 2, 0),
    );
    say('ready', {
      losses: [loss.item()],
      gradientNorm: Math.sqrt(squares.reduce((sum, each) => sum + each, 0)),
    });
  } else {
    await serveTraining(async () => {
      const { loss, metrics } = await trainer.advance();
      const value = (await loss.read()).item();
      for (const scalar of [loss, ...Object.values(metrics)]) scalar.dispose();
      return value;
    });
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

function named(name: string): HostArray<'float32'> {
  const found = arrays[name];
  if (found === undefined) throw new DataError(`${folder} has no array "${name}".`);
  return found;
}

/** r as the objective takes it: of every row, or of the last rows alone, which are those with r ≠ t. */
function intervalsOf(kind: string, t: HostArray<'float32'>, r: HostArray<'float32'>): HostArray<'float32'> {
  if (kind === 'all') return r;
  const first = t.data.findIndex((value, i) => value !== r.data[i]);
  return r.rows(first, r.size);
}
