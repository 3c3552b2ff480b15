/** The checkpoints that are written for measurements are what the reader of flax's files reads, and no other than the published. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { treeLeaves, type HostArray } from '@meanflow/core';
import { importCheckpoint, openCheckpoint, openModel } from '@meanflow/checkpoints/node';
import type { NetworkConfig } from '@meanflow/models';
import { publishedParameters } from '@meanflow/models/published';
import { writeFileAtomically } from '@meanflow/training/node';
import { flaxCheckpoint } from '../src/flax-checkpoint.js';

const network: NetworkConfig = {
  kind: 'imf-dit',
  featureShape: [4, 4, 4],
  ...{ patchSize: 2, width: 8, depth: 20, heads: 2, headDepth: 1, velocityHead: { depth: 0 }, classCount: 3 },
};

test('names, shapes and values are there, and can be imported', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'meanflow-flax-'));
  try {
    const [source, out] = [join(folder, 'checkpoint_0'), join(folder, 'model.safetensors')];
    await writeFileAtomically(source, flaxCheckpoint(network, 3));
    const { format, tensors } = await openCheckpoint(source);
    expect(format).toBe('flax msgpack');
    const names = publishedParameters(network).map(({ name }) => `ema_params/${name}`);
    expect(tensors.map(({ name }) => name).sort()).toEqual(names.sort());
    await importCheckpoint(source, out, { model: network });
    const { params, network: opened } = await openModel(out);
    const values = treeLeaves<HostArray>(params).flatMap(({ data }) => Array.from(data));
    expect(values).toHaveLength(opened.parameterCount);
    expect(new Set(values).size).toBeGreaterThan(0.99 * values.length);
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
    expect(deviation).toBeGreaterThan(0.0195);
    expect(deviation).toBeLessThan(0.0205);
  } finally {
    await rm(folder, { recursive: true });
  }
});
