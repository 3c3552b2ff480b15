/**
 * What a zarr array is: its shape, how it is cut into chunks, and how a chunk is encoded. Version 2 (`.zarray`), and of
 * version 3 (`zarr.json`) what TensorStore and Orbax write, with or without several chunks in one shard.
 */
import { DataError, type Shape } from '@meanflow/core';
import type { StoredDTypeName } from '@meanflow/formats';
import { type Codec, numpyDType, checkShape } from '@meanflow/formats/build';

export interface ZarrMetadata {
  readonly shape: Shape;
  /** Shape of a chunk; all are whole, also at the edges. */
  readonly chunks: Shape;
  readonly dtype: StoredDTypeName;
  readonly isBigEndian: boolean;
  readonly isColumnMajor: boolean;
  /** None when chunks are stored as they are. */
  readonly codec: Codec | undefined;
  /** What a chunk that is not there is made of; null when the array does not say. */
  readonly fill: unknown;
  /** Chunks along each axis that share a file; undefined where each has its own. */
  readonly shard: Shape | undefined;
  /** The key of a chunk, or of a shard, from its place in the grid. */
  chunkKey(index: readonly number[]): string;
}

type Json = { readonly [key: string]: unknown };

/** @throws {DataError} when a field is missing, or asks for what cannot be read */
export function parseZarr(text: string, source: string): ZarrMetadata {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new DataError(`${source} is not JSON: ${(error as Error).message}.`);
  }
  if (!isObject(json)) throw new DataError(`${source} is not a JSON object.`);
  const metadata = json.zarr_format === 3 ? version3(json, source) : version2(json, source);
  const { shape, chunks } = metadata;
  if (chunks.length !== shape.length || chunks.some((size) => size < 1)) {
    throw new DataError(`${source} cuts [${shape.join(', ')}] into chunks of [${chunks.join(', ')}].`);
  }
  return metadata;
}

function version2(json: Json, source: string): ZarrMetadata {
  const { shape, chunks, dtype, order = 'C', compressor, filters, fill_value: fill = null } = json;
  if (json.zarr_format !== 2) {
    throw new DataError(
      `${source} has zarr_format ${JSON.stringify(json.zarr_format)}; 2 and 3 can be read.`,
    );
  }
  checkShape(shape, source);
  checkShape(chunks, source);
  if (typeof dtype !== 'string') throw new DataError(`${source} has elements that are records.`);
  if (Array.isArray(filters) ? filters.length > 0 : filters !== null && filters !== undefined) {
    throw new DataError(`${source} has filters, which are not read.`);
  }
  if (order !== 'C' && order !== 'F')
    throw new DataError(`${source} has the order ${JSON.stringify(order)}.`);
  const separator = json.dimension_separator ?? '.';
  if (separator !== '.' && separator !== '/')
    throw new DataError(`${source} separates chunks by ${JSON.stringify(separator)}.`);
  return {
    shape,
    chunks,
    ...numpyDType(dtype, source),
    isColumnMajor: order === 'F',
    codec: compressor === null || compressor === undefined ? undefined : codecOf(compressor, 'id', source),
    fill,
    shard: undefined,
    chunkKey: (index) => (index.length === 0 ? '0' : index.join(separator)),
  };
}

function version3(json: Json, source: string): ZarrMetadata {
  const { shape, data_type: dtype, chunk_grid: grid, chunk_key_encoding: encoding, codecs } = json;
  if (json.node_type !== 'array') throw new DataError(`${source} is no array.`);
  checkShape(shape, source);
  const whole = isObject(grid) && grid.name === 'regular' ? configuration(grid).chunk_shape : undefined;
  checkShape(whole, `${source}: a chunk`);
  if (typeof dtype !== 'string') throw new DataError(`${source} has elements that are no plain numbers.`);
  const { chunks, shard, encodings } = unsharded(whole, codecs, source);
  const [bytes, ...compressors] = encodings;
  if (!isObject(bytes) || bytes.name !== 'bytes' || compressors.length > 1) {
    throw new DataError(
      `${source} has the codecs ${JSON.stringify(encodings)}; "bytes" and one compressor can be read.`,
    );
  }
  const isDefault = !isObject(encoding) || encoding.name === 'default';
  const separator =
    (isObject(encoding) ? configuration(encoding).separator : undefined) ?? (isDefault ? '/' : '.');
  const prefix = isDefault ? ['c'] : [];
  return {
    shape,
    chunks,
    ...numpyDType(dtype, source),
    isBigEndian: configuration(bytes).endian === 'big',
    isColumnMajor: false,
    codec: compressors.length === 0 ? undefined : codecOf(compressors[0], 'name', source),
    fill: json.fill_value ?? null,
    shard,
    chunkKey: (index) => (index.length === 0 && !isDefault ? '0' : [...prefix, ...index].join(String(separator))),
  }; // prettier-ignore
}

/** What a shard holds: chunks of their own shape and codecs. Without sharding, a chunk is what the grid says. */
function unsharded(
  whole: Shape,
  codecs: unknown,
  source: string,
): { readonly chunks: Shape; readonly shard: Shape | undefined; readonly encodings: readonly unknown[] } {
  const encodings: readonly unknown[] = Array.isArray(codecs) ? codecs : [];
  const [sharding] = encodings;
  if (!isObject(sharding) || sharding.name !== 'sharding_indexed')
    return { chunks: whole, shard: undefined, encodings };
  const {
    chunk_shape: chunks,
    codecs: inner,
    index_codecs: index,
    index_location: location = 'end',
  } = configuration(sharding);
  checkShape(chunks, `${source}: a chunk of a shard`);
  const indexNames = Array.isArray(index)
    ? index.map((codec: unknown) => (isObject(codec) ? codec.name : undefined))
    : [];
  if (encodings.length > 1 || location !== 'end' || indexNames.join() !== 'bytes,crc32c') {
    throw new DataError(
      `${source} has shards whose index is not at their end, or not of bytes and a CRC-32C.`,
    );
  }
  const shard = whole.map((size, axis) => size / chunks[axis]!);
  if (chunks.length !== whole.length || !shard.every(Number.isSafeInteger)) {
    throw new DataError(`${source} has shards of [${whole.join(', ')}] in chunks of [${chunks.join(', ')}].`);
  }
  return { chunks, shard, encodings: Array.isArray(inner) ? inner : [] };
}

const codecs: Readonly<Record<string, Codec>> = { zstd: 'zstd', gzip: 'gzip', zlib: 'zlib' };

function codecOf(compressor: unknown, key: 'id' | 'name', source: string): Codec {
  const name: unknown = isObject(compressor) ? compressor[key] : undefined;
  if (typeof name === 'string' && Object.hasOwn(codecs, name)) return codecs[name]!;
  throw new DataError(
    `${source} is compressed by ${JSON.stringify(name) ?? 'something unknown'}; zstd, gzip and zlib can be read, and no compression.`,
  );
}

function configuration(named: Json): Json {
  return isObject(named.configuration) ? named.configuration : {};
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
