/** Reading safetensors: the header is checked in full before a tensor is touched; each tensor then is a copy. */
import type { HostArray } from '@meanflow/core';
import { nameOfTensor } from '../catalogue.js';
import { crc32 } from '../checksums.js';
import { decodeArray } from '../dtypes.js';
import type { SafetensorsMetadata } from './encode.js';
import { readSafetensorsHeader } from './header.js';
import { checkChecksum } from './reader.js';

/** A file's tensors, by name, and its metadata. */
export interface Safetensors {
  readonly tensors: Readonly<Record<string, HostArray>>;
  readonly metadata: SafetensorsMetadata;
}

/**
 * A whole file. F16 and BF16 become float32; integers become int32.
 *
 * @param source what the bytes were read from, for messages
 * @throws {DataError} when the file is damaged, a checksum in it does not match, or an integer does not fit into int32
 */
export function decodeSafetensors(bytes: Uint8Array, source = 'The data'): Safetensors {
  const { entries, metadata, checksums } = readSafetensorsHeader(bytes, bytes.length, source);
  const tensors = entries.map(({ name, dtype, shape, begin, end }, i) => {
    const content = bytes.subarray(begin, end);
    const what = nameOfTensor({ name, source });
    if (checksums !== undefined) checkChecksum(crc32(content), checksums[i]!, what);
    return [name, decodeArray(dtype, content, shape, what)] as const;
  });
  return { tensors: Object.fromEntries(tensors), metadata };
}
