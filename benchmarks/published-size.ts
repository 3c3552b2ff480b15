/**
 * What a model of published size takes, from its checkpoint to a sample: a checkpoint with random weights is written in a
 * published format, imported, exported, sampled with `meanflow sample`, and its exported file run with plain ONNX Runtime,
 * each in a process of its own, whose time and peak memory are recorded. Both samples must agree.
 *
 *     node dist/published-size.js [--model imf-dit-xl-2] [--dtype float32] [--threads 2] [--json FILE]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { run } from 'meanflow';
import * as ort from 'onnxruntime-node';
import { RandomKey, sizeOf } from '@meanflow/core';
import { settleOrtTelemetry } from '@meanflow/core/backend';
import { networkPreset } from '@meanflow/models';
import { writeFileAtomically } from '@meanflow/training/node';
import { flaxCheckpoint } from './flax-checkpoint.js';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'imf-dit-xl-2' },
    dtype: { type: 'string', default: 'float32' },
    class: { type: 'string', default: '207' },
    threads: { type: 'string' },
    json: { type: 'string' },
    /** What a process of its own does, in the folder. */
    step: { type: 'string' },
    folder: { type: 'string', default: '' },
  },
});
const at = (name: string): string => join(options.folder, name);
const network = networkPreset(options.model);

async function meanflow(...args: string[]): Promise<void> {
  const print = (text: string): void => void process.stderr.write(text);
  const status = await run(args, { out: print, err: print, isInteractive: false });
  if (status !== 0) throw new Error(`meanflow ${args.join(' ')} ended with status ${status}.`);
}

const steps: Readonly<Record<string, () => Promise<void>>> = {
  write: () => writeFileAtomically(at('checkpoint_0'), flaxCheckpoint(network)),
  import: () =>
    meanflow('import', at('checkpoint_0'), '--model', options.model, '--dtype', options.dtype, '--out', at('model.safetensors')), // prettier-ignore
  export: () => meanflow('export', at('model.safetensors'), '--nfe', '1', '--out', at('sampler.onnx')),
  sample: () =>
    meanflow('sample', at('model.safetensors'), '--nfe', '1', '--count', '1', '--class', options.class, '--out', at('samples.json')), // prettier-ignore
  'run the exported file': async () => {
    settleOrtTelemetry();
    const session = await ort.InferenceSession.create(at('sampler.onnx'), {
      ...(options.threads === undefined ? {} : { intraOpNumThreads: Number(options.threads) }),
    });
    const shape = [1, ...network.featureShape];
    // What `meanflow sample --seed 0` starts from.
    const noise = RandomKey.fromSeed(0).fold('sample').fold('noise').normal(shape).data;
    const began = performance.now();
    const { samples } = await session.run({
      noise: new ort.Tensor('float32', noise, shape),
      label: new ort.Tensor('int32', [Number(options.class)], [1]),
    });
    console.error(`one run: ${((performance.now() - began) / 1000).toFixed(1)} s`);
    const wanted = (JSON.parse(readFileSync(at('samples.json'), 'utf8')) as { samples: number[][] })
      .samples[0];
    const data = samples.data as Float32Array;
    const largest = Math.max(...wanted.map(Math.abs));
    const difference = Math.max(...wanted.map((value, i) => Math.abs(value - data[i]))) / largest;
    if (data.length !== sizeOf(shape)) throw new Error(`The file made ${data.length} numbers.`);
    if (!(difference < 1e-5)) throw new Error(`The file and sample differ by ${difference} of the largest.`);
    console.error(`differs from sample by ${difference.toExponential(1)} of the largest value`);
  },
};

if (options.step !== undefined) {
  await steps[options.step]();
  // In kilobytes, of this process since it began.
  console.log(process.resourceUsage().maxRSS);
} else {
  const folder = mkdtempSync(join(tmpdir(), 'meanflow-published-size-'));
  const rows = [];
  try {
    for (const step of Object.keys(steps)) {
      const began = performance.now();
      const args = [
        ...process.execArgv,
        fileURLToPath(import.meta.url),
        ...process.argv.slice(2),
        ...['--step', step, '--folder', folder],
      ];
      const child = spawnSync(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      if (child.status !== 0) throw new Error(`The step "${step}" failed.`);
      const seconds = (performance.now() - began) / 1000;
      const megabytes = Number(child.stdout.toString().trim().split('\n').at(-1)) / 1024;
      rows.push({ step, seconds: Number(seconds.toFixed(1)), peakMegabytes: Math.round(megabytes) });
      console.log(
        `${step.padEnd(24)} ${seconds.toFixed(1).padStart(7)} s ${megabytes.toFixed(0).padStart(7)} MB`,
      );
    }
    const megabytes = (name: string) => Math.round(statSync(join(folder, name)).size / 2 ** 20);
    const files = { checkpoint: megabytes('checkpoint_0'), model: megabytes('model.safetensors') };
    console.log(files);
    const { model, dtype } = options;
    const record = { model, dtype, cpu: cpus()[0].model, cores: cpus().length, files, steps: rows };
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(record, null, 2)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
