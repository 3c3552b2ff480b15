/**
 * Times train steps on `ort:cpu` with several steps per run, interleaved in one process: what a run costs besides its
 * steps, what the longer graph costs until the first steps are made, and what it takes of memory. The losses of all
 * trainers must be equal, bit for bit.
 *
 *     node dist/steps-per-run.js --counts 1,4,8,16 --threads 1 [--workload plane] [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { ortBackend } from '@meanflow/backend-ort';
import { ArgumentError, type RandomKey } from '@meanflow/core';
import { meanFlow, mlp } from '@meanflow/models';
import { adamW, ema, Trainer } from '@meanflow/training';
import { median } from './peer.js';

const { values: options } = parseArgs({
  options: {
    workload: { type: 'string' },
    counts: { type: 'string', default: '1,4,8,16' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '9' },
    every: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
});
const counts = options.counts.split(',').map(Number);
const [threads, rounds, every] = [options.threads, options.rounds, options.every].map(Number);

/** The MLP that `w1` times, and the network and batch that `meanflow train` has for distributions of the plane. */
const workloads = {
  w1: { width: 256, depth: 4, batchSize: 1024, steps: 16 },
  plane: { width: 128, depth: 3, batchSize: 512, steps: 96 },
  tiny: { width: 32, depth: 2, batchSize: 64, steps: 480 },
} as const;

const data = {
  batch: (key: RandomKey, step: number, size: number) => ({ x: key.fold(step).normal([size, 2]) }),
};

async function advance(trainer: Trainer, limit: number): Promise<number[]> {
  const losses: number[] = [];
  while (trainer.step < limit) {
    for (const { loss, metrics } of await trainer.advanceRun(limit)) {
      losses.push((await loss.read()).item());
      for (const scalar of [loss, ...Object.values(metrics)]) scalar.dispose();
    }
  }
  return losses;
}

interface Row {
  readonly count: number;
  readonly trainer: Trainer;
  /** Until the first steps are made, and the memory that this took. */
  readonly seconds: number;
  readonly megabytes: number;
  readonly losses: readonly number[];
  readonly times: number[];
}

async function compare(name: keyof typeof workloads) {
  const { width, depth, batchSize, steps } = workloads[name];
  if (counts.some((count) => !Number.isInteger(count) || steps % count !== 0)) {
    throw new ArgumentError(`--counts are divisors of ${steps}, got ${options.counts}.`);
  }
  const backend = await ortBackend({ ort: () => import('onnxruntime-node'), device: 'cpu', threads });
  const rows: Row[] = [];
  for (const count of counts) {
    const [began, memory] = [performance.now(), process.memoryUsage().rss];
    const trainer = await Trainer.create({
      backend,
      network: mlp({ kind: 'mlp', featureShape: [2], width, depth }),
      objective: meanFlow(),
      optimizer: adamW({ learningRate: 1e-4, beta2: 0.95, weightDecay: 0.01 }),
      ema: ema({ decays: [0.999], every }),
      data,
      batchSize,
      seed: 0,
      stepsPerRun: count,
    });
    const losses = await advance(trainer, steps);
    const seconds = (performance.now() - began) / 1000;
    const megabytes = (process.memoryUsage().rss - memory) / 2 ** 20;
    rows.push({ count, trainer, seconds, megabytes, losses, times: [] });
  }
  const unequal = rows.filter(({ losses }) => losses.some((loss, i) => loss !== rows[0].losses[i]));
  for (let round = 0; round < rounds; round++) {
    for (const { trainer, times } of rows) {
      const began = performance.now();
      await advance(trainer, trainer.step + steps);
      times.push((performance.now() - began) / steps);
    }
  }
  await backend.dispose();
  console.log(`\n${name}: ms per step on ${threads} of ${cpus().length} cores, ${cpus()[0].model}`);
  const results = rows.map(({ count, times, seconds, megabytes }) => ({
    ...{
      workload: name,
      stepsPerRun: count,
      threads,
      every,
      median: median(times),
      minimum: Math.min(...times),
    },
    ...{ ratio: median(times) / median(rows[0].times), seconds, megabytes },
  }));
  for (const { stepsPerRun, median: middle, minimum, ratio, seconds, megabytes } of results) {
    console.log(
      `${String(stepsPerRun).padStart(3)} per run: median ${middle.toFixed(3)}, min ${minimum.toFixed(3)}, ` +
        `×${ratio.toFixed(3)}; ${seconds.toFixed(2)} s for the first ${steps} steps and what they need, ${megabytes.toFixed(0)} MB`,
    );
  }
  if (unequal.length > 0) {
    console.error(`Other losses than ${counts[0]} per run: ${unequal.map(({ count }) => count).join(', ')}.`);
    process.exitCode = 1;
  }
  return results;
}

const names = Object.keys(workloads) as (keyof typeof workloads)[];
const chosen = names.filter((name) => options.workload === undefined || name === options.workload);
if (chosen.length === 0) throw new ArgumentError(`--workload is one of ${names.join(', ')}.`);
const results = [];
for (const name of chosen) results.push(...(await compare(name)));
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
