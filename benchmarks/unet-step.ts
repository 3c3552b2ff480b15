/**
 * Times a whole train step of a small DDPM++ U-Net on `ort:cpu`, MeanFlow and flow matching, interleaved in one run
 * with another build of backend-ort. Both must move the parameters alike, but for float32's rounding.
 *
 *     node dist/unet-step.js --before FOLDER [--threads 1] [--rounds 5] [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { ortBackend } from '@meanflow/backend-ort';
import { ArgumentError, treeLeaves, type HostArray, type RandomKey } from '@meanflow/core';
import { createNetwork, createObjective } from '@meanflow/models';
import { adamW, ema, Trainer } from '@meanflow/training';
import { median } from './peer.js';

const { values: options } = parseArgs({
  options: {
    /** The `dist` of another build of backend-ort. */
    before: { type: 'string' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'string' },
  },
});
if (options.before === undefined)
  throw new ArgumentError('--before names the dist of another build of backend-ort.');
const [threads, rounds] = [options.threads, options.rounds].map(Number);

/** Largest difference of the parameters, relative to their movement, that rounding explains: Adam enlarges tiny gradients. */
const TOLERANCE = 1e-3;
const BATCH = 8;

const other = (await import(pathToFileURL(resolve(options.before, 'index.js')).href)) as {
  readonly ortBackend: typeof ortBackend;
};
const data = {
  batch: (key: RandomKey, step: number, size: number) => ({ x: key.fold(step).normal([size, 3, 32, 32]) }),
};

async function step(trainer: Trainer): Promise<void> {
  const { loss, metrics } = await trainer.advance();
  await loss.read();
  for (const scalar of [loss, ...Object.values(metrics)]) scalar.dispose();
}

const parametersOf = async (trainer: Trainer): Promise<HostArray[]> =>
  treeLeaves<HostArray>(await trainer.parameters());

function distance(a: readonly HostArray[], b: readonly HostArray[]): number {
  let squares = 0;
  a.forEach(({ data }, k) => data.forEach((value, i) => (squares += (value - b[k].data[i]) ** 2)));
  return Math.sqrt(squares);
}

const results: Record<string, unknown>[] = [];
for (const kind of ['meanflow', 'flow-matching'] as const) {
  const rows = [];
  for (const [name, open] of [
    ['meanflow', ortBackend],
    ['before', other.ortBackend],
  ] as const) {
    const backend = await open({ ort: () => import('onnxruntime-node'), device: 'cpu', threads });
    const trainer = await Trainer.create({
      backend,
      network: createNetwork({
        ...{ kind: 'song-unet', featureShape: [3, 32, 32], channels: 32, channelMultipliers: [2, 2, 2] },
        ...{ blocks: 1, attentionResolutions: [16] },
      }),
      objective: createObjective({ kind }),
      optimizer: adamW({ learningRate: 1e-4 }),
      ema: ema({ decays: [0.999], rampUp: false }),
      data,
      batchSize: BATCH,
      seed: 0,
    });
    const initial = await parametersOf(trainer);
    // The first step is not timed.
    await step(trainer);
    rows.push({ name, backend, trainer, initial, wall: [] as number[], cpu: [] as number[] });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { trainer, wall, cpu } of rows) {
      const [began, used] = [performance.now(), process.cpuUsage()];
      await step(trainer);
      const { user, system } = process.cpuUsage(used);
      wall.push(performance.now() - began);
      cpu.push((user + system) / 1000);
    }
  }
  const [ours, before] = rows;
  const [moved, movedBefore] = [await parametersOf(ours.trainer), await parametersOf(before.trainer)];
  const difference = distance(moved, movedBefore) / distance(moved, ours.initial);
  console.log(
    `\n${kind}: ms (median wall, fastest CPU) with ${threads} threads of ${cpus().length}, ${cpus()[0].model}`,
  );
  for (const { name, wall, cpu } of rows) {
    const ratio = Math.min(...cpu) / Math.min(...ours.cpu);
    console.log(
      `${name.padEnd(9)} ${median(wall).toFixed(0)} ${Math.min(...cpu).toFixed(0)}  ×${ratio.toFixed(2)} of ours`,
    );
    results.push({
      objective: kind,
      name,
      threads,
      wallMedian: median(wall),
      cpuMinimum: Math.min(...cpu),
      ratio,
      difference,
    });
  }
  console.log(`parameters differ by ${difference.toExponential(0)} of their movement`);
  if (!(difference <= TOLERANCE)) {
    console.error('Not the same parameters.');
    process.exitCode = 1;
  }
  for (const { trainer, backend } of rows) {
    await trainer.dispose();
    await backend.dispose();
  }
}
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
