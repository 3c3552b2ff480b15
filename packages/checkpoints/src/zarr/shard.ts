/**
 * Shards of zarr version 3 (the sharding codec, version 1.0): several chunks in one file, which ends with an index of
 * where each begins and how long it is, two integers of eight bytes, and a CRC-32C of the index.
 */
import { DataError, sizeOf, type Shape } from '@meanflow/core';
import { stridesOf } from '@meanflow/core/backend';
import type { RandomAccess } from '@meanflow/formats';
import { crc32c, section } from '@meanflow/formats/build';

/** Both integers of a chunk that is not there. */
const ABSENT = 0xffffffffffffffffn;

/**
 * A chunk of a shard.
 *
 * @param counts chunks in a shard, along each axis
 * @param index place of the chunk within its shard
 * @returns undefined when the shard has no such chunk
 * @throws {DataError} when the index is damaged
 */
export async function chunkOfShard(
  shard: RandomAccess,
  counts: Shape,
  index: readonly number[],
): Promise<RandomAccess | undefined> {
  const bytes = sizeOf(counts) * 16;
  const place = await section(shard, shard.size - bytes - 4, bytes + 4).read(0, bytes + 4);
  const view = new DataView(place.buffer, place.byteOffset, place.length);
  if (view.getUint32(bytes, true) !== crc32c(place.subarray(0, bytes))) {
    throw new DataError(`${shard.source} is damaged: the checksum of its index does not match.`);
  }
  const number = stridesOf(counts).reduce((sum, stride, axis) => sum + stride * index[axis]!, 0);
  const offset = view.getBigUint64(16 * number, true);
  const length = view.getBigUint64(16 * number + 8, true);
  if (offset === ABSENT && length === ABSENT) return undefined;
  return section(shard, Number(offset), Number(length));
}
