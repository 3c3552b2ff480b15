/**
 * A checkpoint of 2.2 GB, larger than Node reads in one piece: written, read, gone on with and sampled from, each in a
 * process of its own, with its peak of memory beside the bytes of the tensors that it holds.
 *
 *     npm run build && node benchmarks/dist/large-checkpoint.js [folder]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-node';
import { ortBackend } from '@meanflow/backend-ort';
import {
  hostArray,
  hostZeros,
  type RandomKey,
  sizeOf,
  treeFlatten,
  type HostArray,
  type Tree,
} from '@meanflow/core';
import { meanFlow, mlp, type ParameterSpec, type MlpParameters } from '@meanflow/models';
import { averageVelocity, createSampler } from '@meanflow/samplers';
import {
  adam,
  checkpointChunks,
  checkpointParameters,
  checkpointState,
  Trainer,
  verifyCheckpoint,
} from '@meanflow/training';
import { loadCheckpoint, writeFileAtomically } from '@meanflow/training/node';

const WIDTH = 9600;
const network = mlp({
  kind: 'mlp',
  featureShape: [2],
  width: WIDTH,
  depth: 3,
  embedding: { kind: 'fourier', frequencies: 1 },
});
const optimizer = adam({ learningRate: 1e-3 });
/** Zeros: what is measured is memory, and a network of this size is long in the making. */
const zeros = (): MlpParameters => {
  const { leaves, structure } = treeFlatten<ParameterSpec>(network.specs as Tree<ParameterSpec>);
  return structure.unflatten(leaves.map(({ shape }) => hostZeros(shape))) as MlpParameters;
};
const tensorBytes = (parts: number): number => 4 * parts * network.parameterCount;

/** What each process does; its result is how many bytes of tensors it holds at once. */
const stages: Readonly<Record<string, (path: string) => Promise<number>>> = {
  write: async (path) => {
    const params = zeros();
    const state = { step: 3, params, optimizer: optimizer.init(params), ema: {} };
    await writeFileAtomically(path, checkpointChunks(state, { seed: 0, batchSize: 4, info: {} }));
    return tensorBytes(3);
  },
  read: async (path) => {
    await verifyCheckpoint(await loadCheckpoint(path));
    return 0;
  },
  resume: async (path) => {
    const trainer = await Trainer.create({
      backend: await ortBackend({ ort, device: 'cpu' }),
      network: { ...network, init: zeros },
      objective: meanFlow({
        kind: 'meanflow',
        intervals: { t: { kind: 'uniform' }, equalShare: 0.25 },
        weight: { power: 0.6, epsilon: 0.01 },
      }),
      optimizer,
      data: {
        batch: (key: RandomKey, step: number, size: number) => ({ x: key.fold(step).normal([size, 2]) }),
      },
      batchSize: 4,
      seed: 0,
    });
    trainer.restore(await checkpointState(await loadCheckpoint(path), trainer.stateTypes));
    if (trainer.step !== 3) throw new Error(`resumed at ${trainer.step}`);
    return tensorBytes(3);
  },
  sample: async (path) => {
    const params = await checkpointParameters<MlpParameters>(await loadCheckpoint(path), network.specs);
    const sampler = createSampler(await ortBackend({ ort, device: 'cpu' }), network);
    const noise: HostArray<'float32'> = hostArray([[1, 2]]);
    const { samples } = await sampler.sample({
      params,
      noise,
      solver: averageVelocity,
      borrow: true,
      times: [1, 0],
    });
    if (sizeOf(samples.shape) !== 2) throw new Error('no sample');
    return tensorBytes(1);
  },
};

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0).padStart(6);
const [first, path] = process.argv.slice(2);
if (first !== undefined && Object.hasOwn(stages, first)) {
  const held = await stages[first](path);
  const peak = 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]);
  console.log(
    `${first.padEnd(7)} tensors ${megabytes(held)} MB, peak ${megabytes(peak)} MB, beyond ${megabytes(peak - held)} MB`,
  );
  process.exit(0);
} else {
  const folder = first ?? mkdtempSync(join(tmpdir(), 'meanflow-large-'));
  const file = join(folder, 'large.safetensors');
  try {
    for (const stage of Object.keys(stages)) {
      process.stdout.write(execFileSync(process.execPath, [fileURLToPath(import.meta.url), stage, file]));
      if (stage === 'write') console.log(`        a file of ${megabytes(statSync(file).size)} MB`);
    }
  } finally {
    rmSync(file, { force: true });
  }
}
