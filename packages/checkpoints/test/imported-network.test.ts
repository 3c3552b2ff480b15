/** An imported network computes what the published one does: the file has an input and the output of the PyTorch code. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  compile,
  full,
  referenceBackend,
  spec,
  trace,
  transpose,
  treeFlatten,
  type HostArray,
  type Symbolic,
  type Tensor,
} from '@meanflow/core';
import { decodeSafetensors } from '@meanflow/formats';
import type { ParameterTree } from '@meanflow/models';
import { importCheckpoint, openModel } from '../src/node.js';
import { withFolder } from './support/folder.js';

const at = (name: string): string => fileURLToPath(new URL(`data/published/${name}`, import.meta.url));
const { tensors } = decodeSafetensors(readFileSync(at('imf-torch.expected.safetensors')));

/** What the file was computed with: one step from noise, guided at a scale of 4. */
const conditions = { t: 1, h: 1, omega: 4, tMin: 0.4, tMax: 0.65 };

const largestError = (got: HostArray, wanted: HostArray): number =>
  Math.max(...Array.from(got.data, (x, i) => Math.abs(x - wanted.data[i])));

test.each([
  ['float32', 1e-6],
  // Weights are rounded to 11 bits.
  ['float16', 2e-3],
] as const)('improved MeanFlow from PyTorch, stored as %s', (dtype, tolerance) =>
  withFolder(async (folder) => {
    const out = join(folder, 'model.safetensors');
    const model = {
      kind: 'imf-dit',
      featureShape: [4, 4, 4],
      patchSize: 2,
      width: 8,
      depth: 2,
      heads: 2,
      headDepth: 1,
      velocityHead: { depth: 0 },
      classCount: 3,
      tokens: { label: 2, omega: 1, interval: 1, time: 1 },
    } as const;
    await importCheckpoint(at('imf-torch.pth'), out, { model, dtype });
    const { network, params } = await openModel(out);
    const { leaves, structure } = treeFlatten<HostArray>(params);
    const { 'in/z': z, 'in/y': y } = tensors;
    const rows = Object.fromEntries(
      Object.entries(conditions).map(([name, value]) => [name, (): Tensor => full([2], value)]),
    ) as Record<keyof typeof conditions, () => Tensor>;
    const traced = trace(
      (input: { leaves: readonly Tensor[]; z: Tensor; y: Tensor }) => {
        const given = structure.unflatten(input.leaves) as Symbolic<ParameterTree>;
        const { u, v } = network.apply(given, {
          // PyTorch has channels first.
          z: transpose(input.z, [0, 2, 3, 1]),
          t: rows.t(),
          h: rows.h(),
          omega: rows.omega(),
          tMin: rows.tMin(),
          tMax: rows.tMax(),
          label: input.y,
        });
        return { u: transpose(u, [0, 3, 1, 2]), v: transpose(v!, [0, 3, 1, 2]) };
      },
      {
        leaves: leaves.map(({ shape }) => spec(shape)),
        z: spec(z.shape),
        y: spec(y.shape, 'int32'),
      },
      { name: 'network' },
    );
    const compiled = await compile(referenceBackend(), traced);
    const { u, v } = await compiled.run({ leaves, z, y });
    expect(largestError(await u.read(), tensors['out/u'])).toBeLessThan(tolerance);
    expect(largestError(await v.read(), tensors['out/v'])).toBeLessThan(tolerance);
    await compiled.dispose();
  }),
);
