/**
 * Trains MeanFlow in two processes, each with half of the rows of every batch, whose gradients are averaged on the host; and
 * beside them in one process with whole batches. The losses are the same but for rounding.
 *
 *     npm run build && node examples/dist/two-processes.js [steps]
 *
 * A batch and everything random follow from the seed and the step alone, so nobody is sent rows: each process makes the whole
 * batch and takes its own. Gradients travel to the program and their mean back; every process makes the same update of it.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { on } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ortBackend } from '@meanflow/backend-ort';
import { distributionDataset, eightGaussians } from '@meanflow/data';
import { meanFlow, mlp, type MlpParameters } from '@meanflow/models';
import {
  adam,
  averageGradients,
  chain,
  clipByGlobalNorm,
  Trainer,
  type HostGradients,
} from '@meanflow/training';

const [PROCESSES, ROWS] = [2, 256];
const backend = await ortBackend({ ort: () => import('onnxruntime-node'), device: 'cpu', threads: 1 });

const embedding = { kind: 'fourier', frequencies: 1 } as const;
const trainer = await Trainer.create({
  backend,
  network: mlp({ kind: 'mlp', featureShape: [2], width: 64, depth: 3, embedding }),
  objective: meanFlow({ kind: 'meanflow', intervals: { t: { kind: 'uniform' }, equalShare: 0.25 } }),
  optimizer: chain(clipByGlobalNorm(1), adam({ learningRate: 2e-3 })),
  data: distributionDataset(eightGaussians),
  batchSize: ROWS,
  seed: 0,
});

type Gradients = HostGradients<MlpParameters>;

/** What a process is sent, or sends, from now on. */
const messages = (from: NodeJS.EventEmitter) => on(from, 'message') as AsyncIterable<[Gradients]>;

/** One of the processes: the gradients of its rows, then the update that those of all rows make, again and again. */
async function work(part: number): Promise<void> {
  const [from = 0, to = ROWS] = [part, part + 1].map((end) => (end * ROWS) / PROCESSES);
  const means = messages(process);
  const send = async () => {
    using gradients = await trainer.gradients({ from, to });
    process.send!(await gradients.read());
  };
  await send();
  for await (const [mean] of means) {
    await trainer.update(mean);
    await send();
  }
}

/** The loss of each step of the processes together. */
async function* trainTogether(workers: readonly ChildProcess[], steps: number): AsyncGenerator<number> {
  const answers = workers.map((worker) => messages(worker)[Symbol.asyncIterator]());
  for (let step = 0; step < steps; step++) {
    const parts = await Promise.all(answers.map(async (each) => (await each.next()).value as [Gradients]));
    const mean = averageGradients(parts.map(([gradients]) => gradients));
    for (const worker of workers) worker.send(mean);
    yield mean.loss.item();
  }
}

async function compare(steps: number): Promise<void> {
  const workers = Array.from({ length: PROCESSES }, (_, part) =>
    fork(fileURLToPath(import.meta.url), ['work', String(part)], { serialization: 'advanced' }),
  );
  let largest = 0;
  for await (const together of trainTogether(workers, steps)) {
    const alone = (await (await trainer.advance()).loss.read()).item();
    largest = Math.max(largest, Math.abs(together - alone) / alone);
    if (trainer.step % Math.ceil(steps / 5) === 0) {
      console.log(`Step ${trainer.step}: loss ${together} of two processes, ${alone} of one`);
    }
  }
  for (const worker of workers) worker.kill();
  console.log(`Of ${steps} losses the largest relative difference is ${largest.toExponential(1)}`);
}

const [, , argument = '100', part] = process.argv;
if (argument === 'work') await work(Number(part));
else await compare(Number(argument));
await trainer.dispose();
await backend.dispose();
