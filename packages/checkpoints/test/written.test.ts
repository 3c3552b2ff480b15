/** Files that the libraries write, against the same tensors as safetensors. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decodeSafetensors, readTensor } from '@meanflow/formats';
import { openCheckpoint } from '../src/node.js';

const at = (name: string): string => fileURLToPath(new URL(`data/written/${name}`, import.meta.url));

/** `[file or folder, expected, format]` */
const cases: readonly (readonly [string, string, string])[] = [
  ['views.pt', 'views', 'PyTorch'],
  ['dtypes.pt', 'dtypes', 'PyTorch'],
  ['state-2.pt', 'state', 'PyTorch'],
  ['state-3.pt', 'state', 'PyTorch'],
  ['state-4.pt', 'state', 'PyTorch'],
  ['state-5.pt', 'state', 'PyTorch'],
  ['stored.npz', 'arrays', 'NumPy archive'],
  ['deflated.npz', 'arrays', 'NumPy archive'],
  ['sharded', 'sharded', 'safetensors, in several files'],
  ['flax.msgpack', 'flax', 'flax msgpack'],
  ['database', 'database', 'Orbax (OCDBT)'],
  ['zarr', 'zarr', 'zarr'],
  ['orbax', 'orbax', 'Orbax (OCDBT)'],
  ['orbax-zarr3', 'orbax', 'Orbax (OCDBT)'],
  ['orbax-folders', 'orbax', 'Orbax (zarr)'],
];

test.each(cases)('%s', async (name, expected, format) => {
  const catalogue = await openCheckpoint(at(name));
  expect(catalogue.format).toBe(format);
  const { tensors } = decodeSafetensors(readFileSync(at(`${expected}.expected.safetensors`)));
  expect(catalogue.tensors.map((tensor) => tensor.name).sort()).toEqual(Object.keys(tensors).sort());
  for (const tensor of catalogue.tensors) {
    const wanted = tensors[tensor.name];
    const read = await readTensor(tensor);
    expect([tensor.name, read.shape]).toEqual([tensor.name, wanted.shape]);
    expect(read.dtype).toBe(wanted.dtype);
    expect([...read.data]).toEqual([...wanted.data]);
  }
});

test('a single array', async () => {
  const { tensors } = await openCheckpoint(at('single.npy'));
  const { column } = decodeSafetensors(readFileSync(at('arrays.expected.safetensors'))).tensors;
  expect((await readTensor(tensors[0])).data).toEqual(column.data);
});

test('dtypes are told apart, also where they are widened when read', async () => {
  const { tensors } = await openCheckpoint(at('dtypes.pt'));
  expect(Object.fromEntries(tensors.map(({ name, dtype }) => [name, dtype]))).toEqual({
    float64: 'F64',
    float32: 'F32',
    float16: 'F16',
    bfloat16: 'BF16',
    int64: 'I64',
    int32: 'I32',
    int16: 'I16',
    int8: 'I8',
    uint8: 'U8',
    uint16: 'U16',
    bool: 'BOOL',
  });
});

test.each([2, 3, 4, 5])('plain values of a pickle of protocol %i', async (protocol) => {
  const { values } = await openCheckpoint(at(`state-${protocol}.pt`));
  const byName = Object.fromEntries(values.map(({ name, value }) => [name, value]));
  expect(byName).toMatchObject({
    epoch: 3,
    big: 2 ** 40,
    rate: 0.125,
    name: 'naïve',
    none: null,
    'flags/0': true,
    'flags/1': false,
    'args/lr': 1e-3,
    'args/out': 'runs/one',
    device: 'cpu',
    'size/0': 2,
    'size/1': 3,
    dtype: 'torch.float16',
    'counts/a/1': 2,
    'tags/0': 'x',
    loss: 0.75,
    'optimizer/param_groups/0/lr': 1e-3,
  });
});

test('plain values of flax', async () => {
  const { values } = await openCheckpoint(at('flax.msgpack'));
  expect(Object.fromEntries(values.map(({ name, value }) => [name, value]))).toEqual({
    step: 12,
    rate: 0.5,
    name: 'run',
    none: null,
  });
});
