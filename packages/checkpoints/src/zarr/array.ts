/**
 * The elements of a zarr array. Where chunks are cut along the first axis alone, they are streamed one after another;
 * otherwise the array is put together in memory.
 */
import { DataError, sizeOf } from '@meanflow/core';
import { stridesOf } from '@meanflow/core/backend';
import { byteLength, type RandomAccess, type StoredTensor } from '@meanflow/formats';
import {
  type Pieces,
  storedDTypes,
  collect,
  columnMajorStrides,
  decompressed,
  gather,
  piecesOf,
  readText,
  swapped,
  wholeElements,
} from '@meanflow/formats/build';
import type { KeyValues } from '../key-values.js';
import { parseZarr, type ZarrMetadata } from './metadata.js';
import { chunkOfShard } from './shard.js';

const LARGEST_METADATA = 1 << 20;
/** A chunk may be larger than its array, but not by far. */
const LARGEST_PADDING = 1 << 20;
const MOST_CHUNKS = 1 << 20;
/** What chunks that are not there may stand for: so many bytes, or so many times those that are there. */
const FILLED_ANYWAY = 1 << 26;
const FILLED_FOR_STORED = 16;

/** What a chunk that is not there means: an error, or the array's fill value. */
export type MissingChunks = 'fail' | 'fill';

/** The key under which the metadata of an array lies, if `key` is one; and the array's own. */
export function zarrArrayKey(key: string): string | undefined {
  return /^(?:(.*)\/)?(?:\.zarray|zarr\.json)$/
    .exec(key)
    ?.slice(1, 2)
    .map((name) => name ?? '')[0];
}

/**
 * @param store where its chunks lie, below `key`
 * @param metadataKey `.zarray` or `zarr.json` of the array
 * @throws {DataError} when the metadata is damaged
 */
export async function zarrTensor(
  store: KeyValues,
  metadataKey: string,
  name: string,
  missing: MissingChunks,
): Promise<StoredTensor> {
  const text = await readText(await store.open(metadataKey), LARGEST_METADATA);
  const source = `${store.source}/${metadataKey}`;
  const metadata = parseZarr(text, source);
  checkSizes(metadata, source);
  const keys = new Set(store.keys);
  const prefix = metadataKey.replace(/(?:\.zarray|zarr\.json)$/, '');
  const chunk = async (index: readonly number[]): Promise<RandomAccess | undefined> => {
    const { shard } = metadata;
    const outer = shard === undefined ? index : index.map((i, axis) => Math.floor(i / shard[axis]!));
    const key = prefix + metadata.chunkKey(outer);
    const file = keys.has(key) ? await store.open(key) : undefined;
    const found =
      file === undefined || shard === undefined
        ? file
        : await chunkOfShard(file, shard, index.map((i, axis) => i % shard[axis]!));
    const isZero = metadata.fill === null || metadata.fill === 0 || metadata.fill === false;
    if (found !== undefined || (missing === 'fill' && isZero)) return found;
    throw new DataError(`${store.source} lacks chunk ${JSON.stringify(key)} of ${JSON.stringify(name)}.`);
  };
  const { dtype, shape, chunks } = metadata;
  const isStreamed = !metadata.isColumnMajor && shape.slice(1).every((size, i) => size === chunks[i + 1]);
  return {
    name,
    dtype,
    shape,
    pieces: () => {
      // Here and not before: what nobody reads may be as large as it likes.
      if (missing === 'fill') {
        const stored = store.keys.filter((name) => name.startsWith(prefix) && name !== metadataKey).length;
        checkFilled(metadata, stored, source);
      }
      return isStreamed ? streamed(metadata, chunk, source) : assembled(metadata, chunk, source);
    },
  };
} // prettier-ignore

type Chunk = (index: readonly number[]) => Promise<RandomAccess | undefined>;

function checkSizes(metadata: ZarrMetadata, source: string): void {
  const { shape, chunks } = metadata;
  if (sizeOf(chunks) > Math.max(4 * sizeOf(shape), LARGEST_PADDING)) {
    throw new DataError(
      `${source} has chunks of [${chunks.join(', ')}] for an array of [${shape.join(', ')}].`,
    );
  }
  if (sizeOf(grid(metadata)) > MOST_CHUNKS)
    throw new DataError(`${source} has more than ${MOST_CHUNKS} chunks.`);
}

/** @param stored files below the array, each a chunk or a shard of several */
function checkFilled(metadata: ZarrMetadata, stored: number, source: string): void {
  const { dtype, shape, chunks, shard } = metadata;
  const whole = byteLength({ dtype, shape });
  const present = stored * byteLength({ dtype, shape: chunks }) * (shard === undefined ? 1 : sizeOf(shard));
  if (whole - present > Math.max(FILLED_ANYWAY, FILLED_FOR_STORED * present)) {
    throw new DataError(
      `${source} describes ${whole} bytes, of which at most ${present} are there; what is missing may be filled up to ` +
        `${FILLED_FOR_STORED} times that, or ${FILLED_ANYWAY} bytes.`,
    );
  }
}

/** Number of chunks along each axis. */
function grid({ shape, chunks }: ZarrMetadata): number[] {
  return shape.map((size, axis) => Math.ceil(size / chunks[axis]!));
}

/** The decoded bytes of a chunk, all of them. */
function chunkPieces(metadata: ZarrMetadata, access: RandomAccess | undefined, source: string): Pieces {
  const { dtype, chunks, codec, isBigEndian } = metadata;
  const size = byteLength({ dtype, shape: chunks });
  if (access === undefined) return zeros(size);
  const raw = piecesOf(access);
  const elementBytes = storedDTypes[dtype].bytes;
  const decoded = codec === undefined ? raw : decompressed(raw, codec, size, access.source);
  const whole = wholeElements(decoded, elementBytes, size, `A chunk of ${source}`);
  return isBigEndian ? swapped(whole, elementBytes) : whole;
}

async function* zeros(size: number): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < size; done += 1 << 16) yield new Uint8Array(Math.min(1 << 16, size - done));
}

async function* streamed(metadata: ZarrMetadata, chunk: Chunk, source: string): AsyncGenerator<Uint8Array> {
  const { dtype, shape, chunks } = metadata;
  const rowBytes = byteLength({ dtype, shape: shape.slice(1) });
  if (sizeOf(shape) === 0) return;
  for (let row = 0, i = 0; row < (shape[0] ?? 1); row += chunks[0] ?? 1, i++) {
    let left = Math.min(chunks[0] ?? 1, (shape[0] ?? 1) - row) * rowBytes;
    const access = await chunk(shape.length === 0 ? [] : [i, ...shape.slice(1).map(() => 0)]);
    for await (const piece of chunkPieces(metadata, access, source)) {
      // The last chunk is padded; it is read to its end, so that a damaged one is seen.
      if (left > 0) yield piece.subarray(0, left);
      left = Math.max(0, left - piece.length);
    }
  }
}

async function* assembled(metadata: ZarrMetadata, chunk: Chunk, source: string): AsyncGenerator<Uint8Array> {
  const { dtype, shape, chunks, isColumnMajor } = metadata;
  const elementBytes = storedDTypes[dtype].bytes;
  const all = new Uint8Array(byteLength({ dtype, shape }));
  const counts = grid(metadata);
  for (let number = 0; number < sizeOf(counts); number++) {
    const index = stridesOf(counts).map((stride, axis) => Math.floor(number / stride) % counts[axis]!);
    const bytes = await collect(
      chunkPieces(metadata, await chunk(index), source),
      byteLength({ dtype, shape: chunks }),
      source,
    );
    const strides = isColumnMajor ? columnMajorStrides(chunks) : stridesOf(chunks);
    const begin = index.map((i, axis) => i * chunks[axis]!);
    const inside = chunks.map((size, axis) => Math.min(size, shape[axis]! - begin[axis]!));
    place(all, stridesOf(shape), begin, inside, elementBytes, gather(bytes, elementBytes, { shape: inside, strides, offset: 0 })); // prettier-ignore
  }
  yield all;
}

/** Writes a box of elements, which come in row-major order, into the array. */
function place(
  all: Uint8Array,
  strides: readonly number[],
  begin: readonly number[],
  box: readonly number[],
  elementBytes: number,
  pieces: Iterable<Uint8Array>,
): void {
  const width = box[box.length - 1] ?? 1;
  let element = 0;
  for (const piece of pieces) {
    let at = 0;
    while (at < piece.length) {
      const column = element % width;
      let row = Math.floor(element / width);
      let target = (begin[box.length - 1] ?? 0) + column;
      for (let axis = box.length - 2; axis >= 0; axis--) {
        target += (begin[axis]! + (row % box[axis]!)) * strides[axis]!;
        row = Math.floor(row / box[axis]!);
      }
      const run = Math.min(width - column, (piece.length - at) / elementBytes);
      all.set(piece.subarray(at, at + run * elementBytes), target * elementBytes);
      at += run * elementBytes;
      element += run;
    }
  }
}
