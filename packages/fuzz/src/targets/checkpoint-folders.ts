/** Checkpoints in folders, one file of which is not as it was: Orbax, OCDBT, zarr, several safetensors with an index. */
import { openCheckpointFolder } from '@meanflow/checkpoints';
import type { Seed, Target } from '../target.js';
import { filesOf, folderOf, packagePath, readAllOf } from './support.js';

/** Files longer than this are data, of which there are others. */
const LONGEST = 60_000;

function seedsOf(...parts: readonly string[]): Seed[] {
  const files = filesOf(packagePath('checkpoints', 'test', 'data', ...parts));
  return [...files]
    .filter(([, bytes]) => bytes.length > 0 && bytes.length <= LONGEST)
    .map(([name, original]) => ({
      name: `${parts.at(-1)}/${name}`,
      bytes: original,
      read: async (bytes) => readAllOf(await openCheckpointFolder(folderOf(new Map(files).set(name, bytes)))),
    }));
}

export const zarr: Target = {
  name: 'zarr',
  words: [
    '"shape"',
    '"chunks"',
    '"fill_value"',
    '"compressor"',
    '"codecs"',
    '[1000000,1000000]',
    'null',
    '"NaN"',
    '">f8"',
  ],
  seeds: () => ['grid', 'raw', 'rows', 'third'].flatMap((name) => seedsOf('written', 'zarr', name)),
};

export const ocdbt: Target = {
  name: 'OCDBT',
  seeds: () => seedsOf('written', 'database'),
};

export const orbax: Target = {
  name: 'Orbax',
  words: ['"tree_metadata"', '"key_metadata"', '"value_metadata"', '"skip_deserialize"', '"use_zarr3"'],
  seeds: () => ['orbax', 'orbax-folders', 'orbax-zarr3'].flatMap((name) => seedsOf('written', name)),
};

export const shardedSafetensors: Target = {
  name: 'safetensors, several files',
  words: ['"weight_map"', '"metadata"', 'model-00001-of-00002.safetensors', '../'],
  seeds: () => seedsOf('written', 'sharded'),
};
