/** Checkpoints in every format that the published code writes, against what its own reader gets from them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decodeSafetensors, readTensor } from '@meanflow/formats';
import { openCheckpoint } from '../src/node.js';

const at = (name: string): string => fileURLToPath(new URL(`data/published/${name}`, import.meta.url));

/** `[file or folder, expected, how an expected name is found in it, format]` */
const cases: readonly (readonly [string, string, (name: string) => string, string])[] = [
  ['mf-full-legacy-msgpack', 'mf-full', (name) => name, 'flax msgpack'],
  ['mf-full-orbax', 'mf-full', (name) => name, 'Orbax (OCDBT)'],
  ['mf-full-orbax-aggregated', 'mf-full', (name) => name, 'Orbax (msgpack)'],
  ['mf-full-orbax-zarr', 'mf-full', (name) => name, 'Orbax (zarr)'],
  ['imf-eval-legacy-msgpack', 'imf-eval', (name) => name, 'flax msgpack'],
  ['imf-eval-orbax', 'imf-eval', (name) => name, 'Orbax (OCDBT)'],
  ['imf-torch.pth', 'imf-torch', (name) => name.replace(/^sd\//, ''), 'PyTorch'],
  ['pymf-full', 'pymf-full', (name) => `model/${name}`, 'PyTorch'],
];

test.each(cases)('%s', async (name, expected, place, format) => {
  const catalogue = await openCheckpoint(at(name));
  expect(catalogue.format).toBe(format);
  const { tensors } = decodeSafetensors(readFileSync(at(`${expected}.expected.safetensors`)));
  // What the network computes from them is for another test.
  const wanted = Object.entries(tensors).filter(([key]) => !/^(in|out)\//.test(key));
  expect(wanted.length).toBeGreaterThan(50);
  for (const [key, { shape, data, size }] of wanted) {
    const found = catalogue.tensors.find((tensor) => tensor.name === place(key));
    if (found === undefined) throw new Error(`${name} has no tensor ${place(key)}`);
    const read = await readTensor(found);
    // Scalars were written down with one axis.
    if (size > 1) expect(read.shape).toEqual(shape);
    expect([...read.data]).toEqual([...data]);
  }
});
