/** Safetensors, as a whole and by ranges. */
import { hostArray } from '@meanflow/core';
import { bytesAccess, decodeSafetensors, encodeSafetensors, readSafetensors } from '@meanflow/formats';
import type { Seed, Target } from '../target.js';
import { readAllOf, testData } from './support.js';

const read = async (bytes: Uint8Array): Promise<void> => {
  await readAllOf(await readSafetensors(bytesAccess(bytes, 'seed.safetensors')));
  decodeSafetensors(bytes, 'seed.safetensors');
};

export const safetensors: Target = {
  name: 'safetensors',
  words: ['"dtype"', '"shape"', '"data_offsets"', '"__metadata__"', 'BF16', '[0,0]', '"meanflow.crc32"'],
  seeds: (): Seed[] => [
    { name: 'official.safetensors', bytes: testData('formats', 'official.safetensors'), read },
    { name: 'small', bytes: encodeSafetensors({ a: hostArray([1, 2]), b: hostArray([3]) }), read },
  ],
};

/** Files with checksums. */
export const checkedSafetensors: Target = {
  name: 'safetensors with checksums',
  refusesFlips: true,
  seeds: (): Seed[] => {
    const tensors = { a: hostArray([[1, 2]]), b: hostArray([3, -4]), none: hostArray([]) };
    const checked = (bytes: Uint8Array): Promise<void> =>
      readSafetensors(bytesAccess(bytes, 'seed')).then(async (file) => {
        await readAllOf(file);
        // Whoever wrote it with checksums asks for them.
        if (!file.hasChecksums) decodeSafetensors(new Uint8Array(0), 'A file without checksums');
      });
    return [
      { name: 'small', bytes: encodeSafetensors(tensors, { k: 'v' }, { checksums: true }), read: checked },
    ];
  },
};
