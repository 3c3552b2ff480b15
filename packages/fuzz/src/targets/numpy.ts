/** NumPy's npy and npz. */
import { hostArray } from '@meanflow/core';
import { decodeNpy, decodeNpz, encodeNpy, encodeNpz } from '@meanflow/formats';
import { zipSync } from 'fflate';
import type { Seed, Target } from '../target.js';
import { testData } from './support.js';

const words = [
  "'descr': '<f4'",
  "'fortran_order': True",
  "'shape': (2, 3)",
  '|O',
  '>i8',
  '(0,)',
  'PK\u0003\u0004',
  'PK\u0001\u0002',
];

const arrays = {
  a: hostArray([
    [1, 2, 3],
    [4, 5, 6],
  ]),
  b: hostArray([1, 0], { dtype: 'bool' }),
};
const readNpz = (bytes: Uint8Array): Promise<unknown> => decodeNpz(bytes, 'seed.npz', { maxBytes: 2 ** 26 });

export const npy: Target = {
  name: 'npy',
  words,
  seeds: (): Seed[] => {
    const read = (bytes: Uint8Array): Promise<unknown> => decodeNpy(bytes, 'seed.npy');
    return [
      { name: 'written', bytes: encodeNpy(arrays.a), read },
      { name: 'single.npy', bytes: testData('checkpoints', 'written', 'single.npy'), read },
      // Intact archives of what became of an array.
      {
        name: 'in an archive',
        bytes: encodeNpy(arrays.a),
        read: (bytes) => readNpz(zipSync({ 'a.npy': bytes })),
      },
    ];
  },
};

export const npz: Target = {
  name: 'npz',
  words,
  seeds: (): Seed[] => [
    { name: 'written', bytes: encodeNpz(arrays), read: readNpz },
    { name: 'written, deflated', bytes: encodeNpz(arrays, { compress: true }), read: readNpz },
    { name: 'stored.npz', bytes: testData('formats', 'stored.npz'), read: readNpz },
    { name: 'compressed.npz', bytes: testData('formats', 'compressed.npz'), read: readNpz },
  ],
};
