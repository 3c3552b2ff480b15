/** Orbax, OCDBT and zarr that are damaged or lie. Databases are made byte by byte, with checksums that fit. */
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DataError } from '@meanflow/core';
import { byteLength, readTensor } from '@meanflow/formats';
import { crc32c } from '@meanflow/formats/build';
import { openCheckpointFolder } from '../src/index.js';
import { big, bytesOf, little, memoryFolder } from './support/build.js';

type Files = Record<string, Uint8Array | string>;

/** Reads everything, so that what is wrong anywhere comes to light. */
async function readEverything(files: Files): Promise<Record<string, number[]>> {
  const { tensors } = await openCheckpointFolder(memoryFolder(files));
  const read: Record<string, number[]> = {};
  for (const tensor of tensors) read[tensor.name] = [...(await readTensor(tensor)).data];
  return read;
}

async function refused(files: Files, message: RegExp): Promise<void> {
  const error: unknown = await readEverything(files).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DataError);
  expect((error as DataError).message).toMatch(message);
}

const MANIFEST = 0x0cdb3a2a;
const NODE = 0x0cdb20de;

interface Wrapping {
  readonly compression?: number;
  readonly length?: number;
  readonly crc?: number;
  readonly version?: number;
}

/** A manifest or a node around its fields. */
function wrapped(magic: number, body: Uint8Array, wrong: Wrapping = {}): Uint8Array {
  const total = 14 + body.length + 4;
  const bytes = bytesOf(big(magic, 4), little(wrong.length ?? total, 8), wrong.version ?? 0, wrong.compression ?? 0, body);
  return bytesOf(bytes, little(wrong.crc ?? crc32c(bytes), 4));
} // prettier-ignore

/** A variable-length integer. */
function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.from([...bytes, Number(rest)]);
}

const files = (path: string): Uint8Array => bytesOf(1, varint(path.length), 0, path);
const configuration = (kind = 0): Uint8Array =>
  bytesOf(new Uint8Array(16), kind, varint(100), varint(1000), 4, 0);

/** A manifest whose root is so many bytes of `d/root`. */
function manifest(
  length: number,
  { height = 0, path = 'd/root', offset = 0, keys = 2, wrong = {} as Wrapping } = {},
): Uint8Array {
  const version = bytesOf(1, 1, height, 0, varint(offset), varint(length), varint(keys), 0, 0, new Uint8Array(8));
  return wrapped(MANIFEST, bytesOf(configuration(), files(path), version, 0), wrong);
} // prettier-ignore

/** A leaf with inline values. */
function leaf(values: Readonly<Record<string, Uint8Array>>, wrong: Wrapping = {}): Uint8Array {
  const keys = Object.keys(values).sort();
  const contents = keys.map((key) => values[key]);
  const body = bytesOf(
    0,
    0,
    keys.length,
    ...keys.slice(1).map(() => 0),
    ...keys.map(({ length }) => varint(length)),
    ...keys,
    ...contents.map(({ length }) => varint(length)),
    ...keys.map(() => 0),
    ...contents,
  );
  return wrapped(NODE, body, wrong);
}

/** An interior node with one child: so many bytes of a file. */
const interior = (height: number, path: string, length: number): Uint8Array =>
  wrapped(NODE, bytesOf(height, files(path), 1, 1, 0, 'w', 0, 0, varint(length), 2, 0, 0));

/** A leaf whose first key has 65,535 characters, which the others share. */
const sharedKeys = (count: number): Uint8Array =>
  bytesOf(0, 0, varint(count), ...Array.from({ length: count - 1 }, () => varint(65_535)), varint(65_535), new Uint8Array(count - 1), 'k'.repeat(65_535)); // prettier-ignore

const numbers = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
const array = { zarr_format: 2, shape: [2, 2], chunks: [2, 2], dtype: '<f4', compressor: null, fill_value: null, filters: null, order: 'C' }; // prettier-ignore
const zarray = (changes: object = {}): Uint8Array => bytesOf(JSON.stringify({ ...array, ...changes }));
const good = leaf({ 'w/.zarray': zarray(), 'w/0.0': numbers });
const database = (root: Uint8Array, options: Parameters<typeof manifest>[1] = {}): Files => ({
  'manifest.ocdbt': manifest(root.length, options),
  'd/root': root,
});

test('the builders make what can be read', async () => {
  expect(await readEverything(database(good))).toEqual({ w: [1, 2, 3, 4] });
  const deep = interior(1, 'd/leaf', good.length);
  expect(await readEverything({ ...database(deep, { height: 1 }), 'd/leaf': good })).toEqual({ w: [1, 2, 3, 4] });
}); // prettier-ignore

describe('an OCDBT database', () => {
  const itself = interior(1, 'd/root', 40);
  const flipped = good.map((byte, i) => (i === 60 ? byte ^ 1 : byte));

  test.each<[string, Files, RegExp]>([
    ['whose manifest is cut off', { 'manifest.ocdbt': manifest(9).subarray(0, 20) }, /says that it has \d+ bytes, but it has 20/],
    ['whose manifest is empty', { 'manifest.ocdbt': '' }, /too short/],
    ['whose manifest is something else', { 'manifest.ocdbt': 'a text of some length, no database' }, /begins with 0x6120746, expected 0x0cdb3a2a|begins with 0x61207465/],
    ['whose manifest has a wrong checksum', database(good, { wrong: { crc: 7 } }), /checksum does not match/],
    ['of another version', database(good, { wrong: { version: 1 } }), /version is 1, expected 0/],
    ['of another compression', database(good, { wrong: { compression: 2 } }), /compression is 2/],
    ['that says it is zstd', database(good, { wrong: { compression: 1 } }), /not Zstandard data/],
    ['with a bit flipped in a node', database(flipped), /checksum does not match/],
    ['whose root is cut off', { ...database(good), 'd/root': good.subarray(0, -9) }, /truncated or damaged/],
    ['whose root lies beyond its file', database(good, { offset: 1_000_000 }), /truncated or damaged/],
    ['whose root is its manifest', database(good, { path: 'manifest.ocdbt' }), /begins with 0xcdb3a2a|truncated|says that it has/],
    ['with a node that is its own child', { 'manifest.ocdbt': manifest(itself.length, { height: 1 }), 'd/root': interior(1, 'd/root', itself.length) }, /a node stands at height 1, expected 0/],
    ['with a leaf where a node should be', database(good, { height: 3 }), /stands at height 0, expected 3/],
    ['with a file outside of the folder', database(good, { path: '../root' }), /"\.\.\/root" lies outside/],
    ['with a file at the root', database(good, { path: '/etc/passwd' }), /lies outside/],
    ['with fewer keys than it says', database(good, { keys: 3 }), /has 2 entries, its manifest says 3/],
    ['with a key twice', database(wrapped(NODE, bytesOf(0, 0, 2, 1, 1, 0, 'w', 1, 1, 0, 0, 'xy'))), /key "w" is there twice/],
    ['with a count beyond it', database(wrapped(NODE, bytesOf(0, 0, varint(1_000_000)))), /1000000 entries cannot follow/],
    ['with more entries than any', database(wrapped(NODE, bytesOf(0, 0, varint(1_000_001), new Uint8Array(1_000_001)))), /1000001 entries, more than 1000000/],
    ['with long keys in few bytes', database(wrapped(NODE, sharedKeys(1100))), /its keys take more than 67108864 bytes/],
    ['with children beyond all nodes', database(wrapped(NODE, bytesOf(1, 0, varint(100_001), new Uint8Array(900_000))), { height: 1 }), /more than 100000 nodes/],
    ['with a number beyond all sizes', database(wrapped(NODE, bytesOf(0, 0, varint(2n ** 60n)))), /integer is larger than any size/],
    ['with a number without end', database(wrapped(NODE, bytesOf(0, 0, new Uint8Array(20).fill(0xff)))), /integer is larger than any size/],
    ['with a key longer than it', database(wrapped(NODE, bytesOf(0, 0, 1, varint(200), 'w'))), /bytes are asked for/],
    ['with a key that shares more than there is', database(wrapped(NODE, bytesOf(0, 0, 2, 9, 1, 1, 'ab', 0, 0, 0, 0))), /a key is damaged/],
    ['with a value in a file that is not listed', database(wrapped(NODE, bytesOf(0, 0, 1, 1, 'w', 4, 1, 5, 0))), /data file 5 is not in its table of 0/],
    ['with a value of no kind', database(wrapped(NODE, bytesOf(0, 0, 1, 1, 'w', 1, 7, 'x'))), /neither inline nor in a file/],
    ['with a node that is empty', database(wrapped(NODE, bytesOf(0, 0, 0))), /a node is empty/],
    ['with bytes left over', database(wrapped(NODE, bytesOf(0, 0, 1, 1, 'w', 1, 0, 'x', 'more'))), /4 bytes are left over/],
    ['whose node is a bomb', database(wrapped(NODE, bytesOf(big(0x28b52ffd, 4), 0xe0, little(2n ** 40n, 8), 1, 0, 0), { compression: 1 })), /zstd data holds 1099511627776 bytes, expected at most/],
    ['whose node needs a huge window', database(wrapped(NODE, bytesOf(big(0x28b52ffd, 4), 0x00, 0xa0, 1, 0, 0), { compression: 1 })), /needs a window of 1073741824 bytes/],
  ])('%s', (_, contents, message) => refused(contents, message)); // prettier-ignore

  test('that is a web of nodes, each the child of two', () => {
    // Four levels, each node listing the next one many times: the same keys come again.
    const twice = (height: number, path: string, length: number) =>
      wrapped(NODE, bytesOf(height, files(path), 2, 0, 1, 1, 0, 0, 'wx', 0, 0, 0, 0, varint(length), varint(length), 2, 2, 0, 0, 0, 0)); // prettier-ignore
    const one = twice(1, 'd/leaf', good.length);
    const two = twice(2, 'd/one', one.length);
    return refused({ ...database(two, { height: 2 }), 'd/one': one, 'd/leaf': good }, /is there twice/);
  });
});

describe('a zarr array', () => {
  const folder = (changes: object, chunks: Files = { 'w/0.0': numbers }): Files => ({
    'w/.zarray': zarray(changes),
    ...chunks,
  });

  test.each<[string, Files, RegExp]>([
    ['that lacks a chunk', folder({}, {}), /lacks chunk "w\/0\.0" of "w"/],
    ['that lacks one of several', folder({ chunks: [1, 2] }, { 'w/0.0': numbers.subarray(0, 8) }), /lacks chunk "w\/1\.0"/],
    ['with a chunk that is cut off', folder({}, { 'w/0.0': numbers.subarray(0, 12) }), /holds 12 bytes, expected 16/],
    ['with a chunk that is too long', folder({}, { 'w/0.0': bytesOf(numbers, 0) }), /more than the 16 bytes expected/],
    ['with a chunk that is no zstd', folder({ compressor: { id: 'zstd' } }), /not Zstandard data/],
    ['with a chunk that is no gzip', folder({ compressor: { id: 'gzip' } }), /gzip data is damaged or truncated/],
    ['with a chunk that is no zlib', folder({ compressor: { id: 'zlib' } }), /zlib data is damaged or truncated/],
    ['compressed by blosc', folder({ compressor: { id: 'blosc', cname: 'lz4' } }), /compressed by "blosc"; zstd, gzip and zlib/],
    ['with filters', folder({ filters: [{ id: 'delta' }] }), /has filters/],
    ['of objects', folder({ dtype: '|O' }), /dtype "\|O"/],
    ['of records', folder({ dtype: [['a', '<f4']] }), /elements that are records/],
    ['of a negative shape', folder({ shape: [-1, 2] }), /has the shape \[-1, 2\]/],
    ['of no shape', folder({ shape: 'large' }), /has the shape large/],
    ['with chunks of nothing', folder({ chunks: [0, 2] }), /into chunks of \[0, 2\]/],
    ['with chunks of another rank', folder({ chunks: [2] }), /into chunks of \[2\]/],
    ['with chunks far larger than it', folder({ chunks: [100_000, 100_000] }), /chunks of \[100000, 100000\] for an array of \[2, 2\]/],
    ['with a million million chunks', folder({ shape: [2 ** 20, 2 ** 20], chunks: [1, 1] }), /more than 1048576 chunks/],
    ['of another version', folder({ zarr_format: 4 }), /zarr_format 4; 2 and 3/],
    ['whose metadata is no JSON', { 'w/.zarray': '{', 'w/0.0': numbers }, /not JSON/],
    ['whose metadata is a list', { 'w/.zarray': '[]', 'w/0.0': numbers }, /not a JSON object/],
  ])('%s', (_, contents, message) => refused(contents, message)); // prettier-ignore

  test('has its fill value where a chunk is missing and the writer leaves zeros out', async () => {
    const metadata = { tree_metadata: { "('w',)": { key_metadata: [{ key: 'w' }], value_metadata: { value_type: 'np.ndarray' } } } }; // prettier-ignore
    const contents = { ...folder({}, {}), _METADATA: JSON.stringify(metadata) };
    expect(await readEverything(contents)).toEqual({ w: [0, 0, 0, 0] });
    const everything = JSON.stringify({ ...metadata, store_array_data_equal_to_fill_value: true });
    await refused({ ...contents, _METADATA: everything }, /lacks chunk/);
  });

  test('is filled up to sixteen times what is there, or 64 MiB, and no further', async () => {
    const metadata = JSON.stringify({
      tree_metadata: { w: { key_metadata: [{ key: 'w' }], value_metadata: { value_type: 'jax.Array' } } },
    });
    const of = (rows: number, chunks: Readonly<Record<string, Uint8Array>>) => ({
      ...folder({ shape: [rows, 1024], chunks: [1024, 1024] }, chunks),
      _METADATA: metadata,
    });
    await refused(of(30_000, {}), /describes 122880000 bytes, of which at most 0 are there/);
    const chunk = new Uint8Array(4 << 20);
    await refused(of(30_000, { 'w/0.0': chunk }), /122880000 bytes, of which at most 4194304 are there/);
    const { tensors } = await openCheckpointFolder(memoryFolder(of(17 * 1024, { 'w/0.0': chunk })));
    expect(byteLength(tensors[0])).toBe(17 * chunk.length);
    let bytes = 0;
    for await (const piece of tensors[0].pieces()) bytes += piece.length;
    expect(bytes).toBe(17 * chunk.length);
  });
});

describe('a checkpoint of Orbax', () => {
  const array2 = { 'w/.zarray': zarray(), 'w/0.0': numbers };
  const metadata = (names: readonly string[]) =>
    JSON.stringify({
      tree_metadata: Object.fromEntries(
        names.map((name) => [name, { key_metadata: [{ key: name }], value_metadata: { value_type: 'jax.Array' } }]),
      ),
    }); // prettier-ignore

  test.each<[string, Files, RegExp]>([
    ['that lacks an array of its metadata', { ...array2, _METADATA: metadata(['w', 'v']) }, /lacks the array "v" that its _METADATA names/],
    ['whose metadata is damaged', { ...array2, _METADATA: '{"tree' }, /_METADATA is not JSON/],
    ['whose metadata says nothing', { ...array2, _METADATA: '{}' }, /no "tree_metadata"/],
    ['that refers to an array that is not there', { ...array2, checkpoint: bytesOf(0x81, 0xa1, 'v', 0xaf, 'PLACEHOLDER://v') }, /lacks the array "v" that its "checkpoint" refers to/],
    ['whose tree is empty', { ...array2, checkpoint: '' }, /says that 1 bytes follow/],
  ])('%s', (_, contents, message) => refused(contents, message)); // prettier-ignore

  test.each<[string, Files, RegExp]>([
    ['nothing', {}, /holds no checkpoint/],
    ['texts', { 'a.txt': 'a', 'b/c.md': 'b' }, /holds no checkpoint/],
    ['two checkpoints', { 'checkpoint_1/checkpoint': 'a', 'checkpoint_2/checkpoint': 'b' }, /several checkpoints: checkpoint_1, checkpoint_2/],
  ])('not where a folder holds %s', (_, contents, message) => refused(contents, message)); // prettier-ignore
});

describe('files of the libraries with bytes changed, lost or repeated', () => {
  const root = fileURLToPath(new URL('data/written', import.meta.url));
  const contents = async (name: string): Promise<Record<string, Uint8Array>> => {
    const paths = (await readdir(join(root, name), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    const read = paths.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(join(root, name).length + 1), new Uint8Array(await readFile(path))] as const;
    });
    return Object.fromEntries(await Promise.all(read));
  }; // prettier-ignore
  const single = (name: string): Record<string, Uint8Array> => ({
    [name]: new Uint8Array(readFileSync(join(root, name))),
  });

  /** The same sequence each time. */
  const random = (seed: number) => {
    let state = seed;
    return (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
  };

  const damage = (bytes: Uint8Array, pick: (below: number) => number): Uint8Array => {
    const at = pick(bytes.length);
    switch (pick(4)) {
      case 0:
        return bytes.slice(0, at);
      case 1:
        return bytesOf(bytes.subarray(0, at), bytes.subarray(pick(bytes.length)));
      default: {
        const changed = bytes.slice();
        for (let i = 0; i <= pick(4); i++) changed[pick(bytes.length)] = pick(256);
        return changed;
      }
    }
  };

  test.each([
    ['views.pt'],
    ['state-5.pt'],
    ['state-2.pt'],
    ['deflated.npz'],
    ['flax.msgpack'],
    ['database'],
    ['orbax'],
    ['orbax-zarr3'],
    ['zarr'],
    ['sharded'],
  ])('%s is read or refused, in words', async (name) => {
    const intact = /\./.test(name) ? single(name) : await contents(name);
    const paths = Object.keys(intact);
    const pick = random(name.length);
    let refusals = 0;
    for (let i = 0; i < 120; i++) {
      const path = paths[pick(paths.length)];
      const damaged = { ...intact, [path]: damage(intact[path], pick) };
      try {
        await readEverything(damaged);
      } catch (error) {
        if (!(error instanceof DataError)) throw new Error(`${path}, round ${i}`, { cause: error });
        refusals++;
      }
    }
    expect(refusals).toBeGreaterThan(20);
  });
});
