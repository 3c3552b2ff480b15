/** Checkpoints that others publish, in one file: PyTorch's archives and pickles, msgpack. */
import { openCheckpointFile } from '@meanflow/checkpoints';
import { bytesAccess } from '@meanflow/formats';
import { unzipSync, zipSync } from 'fflate';
import type { Seed, Target } from '../target.js';
import { readAllOf, testData } from './support.js';

const read = async (bytes: Uint8Array): Promise<void> =>
  readAllOf(await openCheckpointFile(bytesAccess(bytes, 'The seed')));

/** A seed from the test data of the readers. */
const seed = (...parts: readonly string[]): Seed => ({
  name: parts.at(-1)!,
  bytes: testData('checkpoints', ...parts),
  read,
});

const opcodes = ['(', '.', ')', 'R', 'b', 'q\u0000', 'h\u0000', 'ccopy_reg\n_reconstructor\n', 'cos\nsystem\n', 'ctorch._utils\n_rebuild_tensor_v2\n', '\u0080\u0002', 'X\u0003\u0000\u0000\u0000abc', 'I9999999999\n', 'L1L\n', '2', '0', '\u0085', 'Q']; // prettier-ignore

export const pytorch: Target = {
  name: 'pytorch',
  words: ['PK\u0001\u0002', 'data.pkl', 'archive/data/0', 'byteorder', 'big'],
  seeds: () => ['views.pt', 'dtypes.pt', 'state-2.pt', 'state-5.pt'].map((name) => seed('written', name)),
};

export const pytorchLegacy: Target = {
  name: 'pytorch, legacy',
  words: opcodes,
  seeds: () => ['legacy-3.pt', 'legacy-4.pt', 'legacy-5.pt'].map((name) => seed('objects', name)),
};

/** Pickles in archives that are intact around them. */
export const pickle: Target = {
  name: 'pickle',
  words: opcodes,
  seeds: (): Seed[] =>
    [['written', 'views.pt'], ['written', 'dtypes.pt'], ['written', 'state-2.pt'], ['written', 'state-4.pt'], ['objects', 'objects.pt']].map((parts) => {
      const files = unzipSync(testData('checkpoints', ...parts));
      const name = Object.keys(files).find((each) => each.endsWith('data.pkl'))!;
      return {
        name: `${parts.at(-1)}, data.pkl`,
        bytes: files[name]!,
        read: (bytes) => read(zipSync({ ...files, [name]: bytes }, { level: 0 })),
      };
    }), // prettier-ignore
};

export const msgpack: Target = {
  name: 'msgpack',
  words: [
    '\u00c7',
    '\u0081\u00a1a',
    '\u00dc',
    '\u00de',
    '__msgpack_chunked_array__',
    '\u0093\u0091\u0002\u00a7float32\u00c4',
  ],
  seeds: () => [seed('written', 'flax.msgpack')],
};
