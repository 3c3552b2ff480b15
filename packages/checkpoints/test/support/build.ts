/** Files made byte by byte, so that they can be wrong in any way. */
import { deflateRawSync } from 'node:zlib';
import { DataError } from '@meanflow/core';
import { bytesAccess, type Folder } from '@meanflow/formats';
import { crc32 } from '@meanflow/formats/build';

const encoder = new TextEncoder();

export function bytesOf(...parts: readonly (number | string | Uint8Array)[]): Uint8Array {
  const arrays = parts.map((part) =>
    typeof part === 'number' ? Uint8Array.of(part) : typeof part === 'string' ? encoder.encode(part) : part,
  );
  const bytes = new Uint8Array(arrays.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const array of arrays) {
    bytes.set(array, at);
    at += array.length;
  }
  return bytes;
}

/** A number of some bytes, little-endian. */
export function little(value: number | bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let rest = BigInt(value);
  for (let i = 0; i < length; i++) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** A number of some bytes, big-endian. */
export const big = (value: number | bigint, length: number): Uint8Array => little(value, length).reverse();

/** An entry of an archive, and what to claim of it where that is not true. */
export interface Entry {
  readonly name: string;
  readonly content: Uint8Array;
  readonly deflate?: boolean;
  readonly size?: number;
  readonly compressedSize?: number;
  readonly crc?: number;
  readonly method?: number;
  readonly flags?: number;
  readonly offset?: number;
}

export function zip(entries: readonly Entry[], count = entries.length): Uint8Array {
  const files: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const entry of entries) {
    const { name, content, deflate = false, flags = 0 } = entry;
    const data = deflate ? new Uint8Array(deflateRawSync(content)) : content;
    const method = entry.method ?? (deflate ? 8 : 0);
    const encoded = encoder.encode(name);
    const shared = bytesOf(
      little(flags, 2),
      little(method, 2),
      little(0, 4),
      little(entry.crc ?? crc32(content), 4),
      little(entry.compressedSize ?? data.length, 4),
      little(entry.size ?? content.length, 4),
      little(encoded.length, 2),
      little(0, 2),
    );
    directory.push(
      bytesOf(little(0x02014b50, 4), little(20, 2), little(20, 2), shared, little(0, 10), little(entry.offset ?? at, 4), encoded),
    ); // prettier-ignore
    files.push(bytesOf(little(0x04034b50, 4), little(20, 2), shared, encoded, data));
    at += files.at(-1)!.length;
  }
  const records = bytesOf(...directory);
  const end = bytesOf(little(0x06054b50, 4), little(0, 4), little(count, 2), little(count, 2), little(records.length, 4), little(at, 4), little(0, 2)); // prettier-ignore
  return bytesOf(...files, records, end);
}

/** Parts of a pickle of protocol 2. */
export const op = {
  global: (module: string, name: string) => bytesOf('c', module, '\n', name, '\n'),
  text: (text: string) => bytesOf('X', little(encoder.encode(text).length, 4), text),
  int: (value: number) => bytesOf('J', little(BigInt.asUintN(32, BigInt(value)), 4)),
  long: (value: bigint) => bytesOf(0x8a, 8, little(BigInt.asUintN(64, value), 8)),
  tuple: (...items: readonly Uint8Array[]) => bytesOf('(', ...items, 't'),
};

export const pickle = (...parts: readonly (number | string | Uint8Array)[]): Uint8Array =>
  bytesOf(0x80, 2, ...parts, '.');

/** A call of a global with texts. */
export const call = (module: string, name: string, ...args: readonly string[]): Uint8Array =>
  bytesOf(op.global(module, name), op.tuple(...args.map(op.text)), 'R');

/** A float32 tensor of a storage "0". */
export function tensor(shape: readonly number[], strides: readonly number[], options: { readonly count?: number; readonly offset?: number; readonly key?: string; readonly type?: string } = {}): Uint8Array {
  const { count = 4, offset = 0, key = '0', type = 'FloatStorage' } = options;
  const numbers = (values: readonly number[]) =>
    op.tuple(...values.map((value) => (Math.abs(value) < 2 ** 31 ? op.int(value) : op.long(BigInt(value)))));
  const storage = bytesOf(op.tuple(op.text('storage'), op.global('torch', type), op.text(key), op.text('cpu'), op.int(count)), 'Q');
  const hooks = bytesOf(op.global('collections', 'OrderedDict'), ')R');
  return bytesOf(op.global('torch._utils', '_rebuild_tensor_v2'), op.tuple(storage, op.int(offset), numbers(shape), numbers(strides), bytesOf(0x89), hooks), 'R');
} // prettier-ignore

/** An archive of PyTorch with one storage of four numbers. */
export function torchFile(root: Uint8Array, entries: readonly Entry[] = [storage()]): Uint8Array {
  return zip([{ name: 'model/data.pkl', content: root }, ...entries]);
}

export const storage = (changes: Partial<Entry> = {}): Entry => ({
  name: 'model/data/0',
  content: new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer),
  ...changes,
});

/** A folder in memory. */
export function memoryFolder(files: Readonly<Record<string, Uint8Array | string>>): Folder {
  const contents = new Map(
    Object.entries(files).map(([path, content]) => [path, typeof content === 'string' ? encoder.encode(content) : content]),
  );
  return {
    source: 'the folder',
    list: async () => [...contents.keys()].sort(),
    open: async (path) => {
      const found = contents.get(path);
      if (found === undefined) throw new DataError(`The folder has no ${path}.`);
      return bytesAccess(found, `the folder/${path}`);
    },
  };
} // prettier-ignore
