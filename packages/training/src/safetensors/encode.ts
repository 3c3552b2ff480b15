/**
 * Writing safetensors (https://github.com/huggingface/safetensors): eight bytes of header length, a JSON header, then
 * the tensors one after another. The same tensors and metadata give the same bytes, in whatever order they are given.
 */
import { ArgumentError, type HostArray, type HostDType } from '@meanflow/core';
import { littleEndianBytes, writtenNames } from './dtypes.js';

/** Text beside the tensors. */
export type SafetensorsMetadata = Readonly<Record<string, string>>;

/** The official writer's order. Wide elements come first, so that every tensor is aligned to its element size. */
const ORDER: readonly HostDType[] = ['float64', 'float32', 'int32', 'bool'];

/**
 * A file as pieces to be written in order, so that the tensors need not be copied into one buffer.
 *
 * @throws {ArgumentError} when a tensor has the reserved name `__metadata__`
 */
export function safetensorsChunks(
  tensors: Readonly<Record<string, HostArray>>,
  metadata: SafetensorsMetadata = {},
): Uint8Array[] {
  if (Object.hasOwn(tensors, '__metadata__')) {
    throw new ArgumentError('safetensors: no tensor may have the name "__metadata__".');
  }
  const rank = (name: string): number => ORDER.indexOf(tensors[name].dtype);
  const names = Object.keys(tensors).sort((a, b) => rank(a) - rank(b) || compareText(a, b));
  const header: [string, unknown][] = [];
  const keys = Object.keys(metadata).sort(compareText);
  if (keys.length > 0) header.push(['__metadata__', keys.map((key) => [key, metadata[key]] as const)]);
  const chunks: Uint8Array[] = [];
  let offset = 0;
  for (const name of names) {
    const { dtype, shape } = tensors[name];
    const bytes = littleEndianBytes(tensors[name]);
    const data_offsets = [offset, offset + bytes.length];
    header.push([name, Object.entries({ dtype: writtenNames[dtype], shape, data_offsets })]);
    chunks.push(bytes);
    offset += bytes.length;
  }
  return [headerBytes(header), ...chunks];
}

/** A file as one piece; see {@link safetensorsChunks}. */
export function encodeSafetensors(
  tensors: Readonly<Record<string, HostArray>>,
  metadata: SafetensorsMetadata = {},
): Uint8Array {
  const chunks = safetensorsChunks(tensors, metadata);
  const file = new Uint8Array(chunks.reduce((total, { length }) => total + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    file.set(chunk, offset);
    offset += chunk.length;
  }
  return file;
}

/** The length and the JSON, padded with spaces so that the tensors begin at a multiple of 8. */
function headerBytes(entries: readonly [string, unknown][]): Uint8Array {
  // Written entry by entry, because an object would move keys such as "0" to its front and drop "__proto__".
  const object = (
    pairs: readonly (readonly [string, unknown])[],
    write: (value: unknown) => string,
  ): string => `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${write(value)}`).join(',')}}`;
  const json = object(entries, (pairs) => object(pairs as [string, unknown][], JSON.stringify));
  const text = new TextEncoder().encode(json);
  const length = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + length).fill(0x20, 8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, 8);
  return bytes;
}

/** Order by code units: the same in every locale. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
