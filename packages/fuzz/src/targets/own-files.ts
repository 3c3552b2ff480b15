/** Our own files, which have checksums: checkpoints of a run, model files, classifiers; and the folder of a run. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importedModel, openCheckpointFile, planImport, readModel } from '@meanflow/checkpoints';
import {
  classifierNetwork,
  decodeClassifier,
  encodeClassifier,
  type ClassifierConfig,
} from '@meanflow/classifier';
import { hostArray, RandomKey, sizeOf, type HostArray } from '@meanflow/core';
import { bytesAccess, encodeSafetensors } from '@meanflow/formats';
import type { NetworkConfig } from '@meanflow/models';
import { publishedParameters } from '@meanflow/models/published';
import { checkpointChunks, checkpointState, decodeCheckpoint, type TrainState } from '@meanflow/training';
import { latestCheckpoint, loadCheckpoint } from '@meanflow/training/node';
import type { Seed, Target } from '../target.js';

const params = { layers: [{ kernel: hostArray([[1, 2]]), bias: hostArray([0.5]) }] };
const state = (step: number): TrainState => ({
  step,
  params,
  optimizer: [undefined, { mean: params }],
  ema: { '0.9': params },
});
const checkpointBytes = (step: number): Uint8Array =>
  new Uint8Array(
    Buffer.concat(checkpointChunks(state(step), { seed: 1, batchSize: 2, info: { a: [1, 'b'] } })),
  );

const words = [
  '"dtype":"F32"',
  '"data_offsets":[0,8]',
  '"meanflow.crc32":"',
  'meanflow-checkpoint',
  '\\"step\\":',
  'version',
];

export const checkpoints: Target = {
  name: 'checkpoints of a run',
  refusesFlips: true,
  words,
  seeds: (): Seed[] => [
    {
      name: 'checkpoint',
      bytes: checkpointBytes(3),
      read: async (bytes) => checkpointState(await decodeCheckpoint(bytes, 'The seed'), state(0)),
    },
  ],
};

/** Which checkpoint is taken of a folder in which one is damaged. */
export const runFolders: Target = {
  name: 'folders of a run',
  words,
  seeds: (): Seed[] =>
    ['step-00000003', 'step-00000006', '../final'].map((name, i) => ({
      name: `checkpoints/${name}`,
      bytes: checkpointBytes(3 * (i + 1)),
      read: async (bytes) => {
        const folder = mkdtempSync(join(tmpdir(), 'meanflow-fuzz-'));
        try {
          mkdirSync(join(folder, 'checkpoints'));
          writeFileSync(join(folder, 'checkpoints', 'step-00000002.safetensors'), checkpointBytes(2));
          writeFileSync(join(folder, 'checkpoints', `${name}.safetensors`), bytes);
          const { checkpoint } = await latestCheckpoint(folder);
          if (checkpoint !== undefined) await checkpointState(checkpoint, state(0));
          await loadCheckpoint(folder);
        } finally {
          rmSync(folder, { recursive: true });
        }
      },
    })),
};

const network: NetworkConfig = { kind: 'dit', featureShape: [2, 2, 1], patchSize: 1, width: 4, depth: 1, heads: 1, classCount: 2 }; // prettier-ignore

/** A model file, as `meanflow import` writes it. */
async function modelBytes(): Promise<Uint8Array> {
  const tensors = publishedParameters(network, 'jax').map(({ name, shape }, i): [string, HostArray] => [
    name,
    RandomKey.fromSeed(i)
      .normal([sizeOf(shape)])
      .reshape(shape),
  ]);
  const published = encodeSafetensors(Object.fromEntries(tensors));
  const plan = planImport(await openCheckpointFile(bytesAccess(published, 'published')), { model: network });
  const pieces: Uint8Array[] = [];
  let header = new Uint8Array(0);
  for await (const part of importedModel(plan)) {
    if ('position' in part) header = part.bytes.slice();
    else pieces.push(part.slice());
  }
  const file = new Uint8Array(Buffer.concat(pieces));
  file.set(header);
  return file;
}

export const models: Target = {
  name: 'model files',
  refusesFlips: true,
  words: [...words, '\\"kind\\":\\"mlp\\"', '\\"network\\":', '\\"depth\\":', '1e9', 'meanflow-model'],
  seeds: async (): Promise<Seed[]> => [
    {
      name: 'model',
      bytes: await (cached ??= modelBytes()),
      read: (bytes) => readModel(bytesAccess(bytes, 'The seed')),
    },
  ],
};
let cached: Promise<Uint8Array> | undefined;

const config: ClassifierConfig = {
  imageShape: [4, 4, 1],
  layout: 'nhwc',
  classCount: 2,
  width: 1,
  featureCount: 2,
};

export const classifiers: Target = {
  name: 'classifiers',
  refusesFlips: true,
  words: [...words, '\\"config\\":', '\\"width\\":', 'meanflow-classifier'],
  seeds: (): Seed[] => [
    {
      name: 'classifier',
      bytes: encodeClassifier({
        data: 'shapes',
        config,
        seed: 0,
        steps: 1,
        batchSize: 1,
        learningRate: 1,
        heldOutAccuracy: 0.5,
        params: classifierNetwork(config).init(RandomKey.fromSeed(0)),
      }),
      read: (bytes) => decodeClassifier(bytes, 'The seed'),
    },
  ],
};
