/** What manifests and nodes are wrapped in: a magic number, their length, a compression, and a CRC-32C at the end. */
import { DataError } from '@meanflow/core';
import type { RandomAccess } from '@meanflow/formats';
import { crc32c, collectSome, decompressed, readAll } from '@meanflow/formats/build';
import { FieldDecoder } from './decoder.js';

export const MANIFEST = 0x0cdb3a2a;
export const BTREE_NODE = 0x0cdb20de;

/** Nodes are cut to some megabytes when written; Orbax sets a hundred. */
const LARGEST_NODE = 1 << 28;

/**
 * The fields inside.
 *
 * @param magic what it should be
 * @throws {DataError} when it is something else, or damaged
 */
export async function openEnvelope(access: RandomAccess, magic: number): Promise<FieldDecoder> {
  const { source } = access;
  const bytes = await readAll(access, LARGEST_NODE);
  const fail = (problem: string): never => {
    throw new DataError(`${source} is damaged: ${problem}.`);
  };
  if (bytes.length < 18) fail('it is too short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found = view.getUint32(0);
  if (found !== magic)
    fail(`it begins with 0x${found.toString(16)}, expected 0x0${magic.toString(16)}`);
  if (view.getBigUint64(4, true) !== BigInt(bytes.length)) {
    fail(`it says that it has ${view.getBigUint64(4, true)} bytes, but it has ${bytes.length}`);
  }
  if (view.getUint32(bytes.length - 4, true) !== crc32c(bytes.subarray(0, -4))) {
    fail('its checksum does not match');
  }
  const [version, compression] = [bytes[12], bytes[13]];
  if (version !== 0) fail(`its version is ${version}, expected 0`);
  const body = bytes.subarray(14, -4);
  if (compression === 0) return new FieldDecoder(body, source);
  if (compression !== 1) fail(`its compression is ${compression}, expected none (0) or zstd (1)`);
  const pieces = (async function* () {
    yield body;
  })();
  return new FieldDecoder(await collectSome(decompressed(pieces, 'zstd', LARGEST_NODE, source)), source);
} // prettier-ignore
