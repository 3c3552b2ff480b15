/** Reading safetensors: the header is checked in full before a tensor is touched; each tensor then is a copy. */
import { DataError, sizeOf, type HostArray } from '@meanflow/core';
import { storedDTypes } from '../dtypes.js';
import type { SafetensorsMetadata } from './encode.js';
import { readSafetensorsHeader, type TensorEntry } from './header.js';

/** A file's tensors, by name, and its metadata. */
export interface Safetensors {
  readonly tensors: Readonly<Record<string, HostArray>>;
  readonly metadata: SafetensorsMetadata;
}

/**
 * A whole file. F16 and BF16 become float32; integers become int32.
 *
 * @param source what the bytes were read from, for messages
 * @throws {DataError} when the file is damaged, or an integer does not fit into int32
 */
export function decodeSafetensors(bytes: Uint8Array, source = 'The data'): Safetensors {
  const { entries, metadata } = readSafetensorsHeader(bytes, bytes.length, source);
  const tensors = entries.map((entry) => [entry.name, readTensor(bytes, entry, source)] as const);
  return { tensors: Object.fromEntries(tensors), metadata };
}

function readTensor(
  bytes: Uint8Array,
  { name, dtype, shape, begin, end }: TensorEntry,
  source: string,
): HostArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset + begin, end - begin);
  try {
    return storedDTypes[dtype].read(view, sizeOf(shape), shape);
  } catch (error) {
    if (error instanceof DataError) throw new DataError(`${source}: tensor "${name}" ${error.message}.`);
    throw error;
  }
}
