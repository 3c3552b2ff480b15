/** What people keep beside weights, as PyTorch writes it: read where it is a tensor or plain, else passed over and named. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readTensor } from '@meanflow/formats';
import { openCheckpoint } from '../src/node.js';

const at = (name: string): string => fileURLToPath(new URL(`data/objects/${name}`, import.meta.url));

const valuesOf = async (name: string): Promise<Record<string, readonly number[]>> => {
  const { tensors } = await openCheckpoint(at(name));
  const entries: [string, readonly number[]][] = [];
  for (const tensor of tensors) entries.push([tensor.name, [...(await readTensor(tensor)).data].map(Number)]);
  return Object.fromEntries(entries);
};

const counting = [0, 1, 2, 3, 4, 5];

const tensors = {
  'model/weight': counting,
  'model/bias': [7, 8],
  array: counting,
  columns: counting,
  no_rows: [],
  parameter: [9, 9],
  half: [1.5, 1.5],
  bfloat16: [1.5, 1.5],
  int8: [-1, 2],
  bool: [1, 0],
  scalar: [3],
  empty: [],
  transposed: [0, 3, 1, 4, 2, 5],
  every_other: [1, 3, 5],
  expanded: [1, 2, 1, 2],
  tied: counting,
  // In objects of unknown classes.
  'slots/shadow': [5, 5],
  'ema/shadow/weight': [4, 4, 4, 4, 4, 4],
  'optimizer/param_groups/0/params/0': counting,
  'optimizer/param_groups/0/params/1': [7, 8],
  'module/_parameters/weight': counting,
  'module/_parameters/bias': [7, 8],
};

const values = {
  'ordered/a': 1,
  'default/a/0': 1,
  'counter/a': 2,
  'counter/b': 1,
  'namespace/lr': 0.1,
  path: '/a/b',
  'size/0': 1,
  'size/1': 2,
  dtype: 'torch.bfloat16',
  device: 'cuda:1',
  'set/0': 1,
  'frozen/0': 2,
  bytes: '3 bytes',
  float64: 1.5,
  uint64: 7,
  uint32: 2147483653,
  bool_: 1,
  big: 2n ** 70n,
  infinity: Infinity,
  losses: 'a list of 1001 numbers',
  none: null,
};

const passedOver = {
  complex_tensor: 'a tensor of torch.ComplexFloatStorage',
  sparse: 'a sparse tensor',
  sparse_rows: 'a sparse tensor',
  quantised: 'a quantised tensor',
  float8: 'a tensor of torch.float8_e4m3fn',
  meta: 'a tensor without elements (on the meta device)',
  storage: 'a storage without a tensor',
  objects: 'an array of NumPy of dtype O8',
  texts: 'an array of NumPy of dtype U1',
  complex_array: 'an array of NumPy of dtype c16',
  big_endian: 'an array of NumPy of dtype >f4',
  complex_scalar: 'a scalar of NumPy of dtype c8',
  datetime: 'datetime.datetime',
  delta: 'datetime.timedelta',
  enum: '__main__.Color',
  decimal: 'decimal.Decimal',
  uuid: 'uuid.UUID',
  fraction: 'fractions.Fraction',
  complex: '__builtin__.complex',
  range: '__builtin__.xrange',
  deque: 'collections.deque',
  partial: 'functools.partial',
  class: '__main__.Color',
  function: 'posixpath.join',
  error: 'exceptions.ValueError',
  config: '__main__.Config',
  slots: '__main__.Slots',
  ema: '__main__.Ema',
  named: 'functools.partial',
  calls: 'posix.system',
  optimizer: 'torch.optim.adam.Adam',
  module: 'torch.nn.modules.linear.Linear',
};

describe.each(['objects.pt', 'objects-legacy.pt'])('%s', (name) => {
  test('gives every tensor, whatever view it is', async () => {
    expect(await valuesOf(name)).toEqual(tensors);
  });

  test('gives what is plain', async () => {
    const catalogue = await openCheckpoint(at(name));
    expect(Object.fromEntries(catalogue.values.map((each) => [each.name, each.value]))).toEqual(values);
  });

  test('names everything else, and runs nothing', async () => {
    const catalogue = await openCheckpoint(at(name));
    expect(Object.fromEntries(catalogue.passedOver?.map((each) => [each.name, each.what]) ?? [])).toEqual(
      passedOver,
    );
    // What one of them would have made.
    expect(existsSync('/tmp/pickle-was-run')).toBe(false);
  });
});

test.each(['legacy-3.pt', 'legacy-4.pt', 'legacy-5.pt'])(
  '%s: the older format by another protocol',
  async (name) => {
    expect(await valuesOf(name)).toEqual({ weight: counting, bias: [7, 8] });
  },
);

test('a module that was saved whole has its weights', async () => {
  expect(await valuesOf('module.pt')).toEqual({ '_parameters/weight': counting, '_parameters/bias': [7, 8] });
});

test('a program is called that', async () => {
  await expect(openCheckpoint(at('script.pt'))).rejects.toThrow(
    /is a program \(TorchScript\).*Save its weights/,
  );
});
