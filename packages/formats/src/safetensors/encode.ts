/**
 * Writing safetensors (https://github.com/huggingface/safetensors): eight bytes of header length, a JSON header, then
 * the tensors one after another. The same tensors and metadata give the same bytes, in whatever order they are given.
 */
import { ArgumentError, sizeOf, type HostArray, type Shape } from '@meanflow/core';
import { quoted } from '@meanflow/core/validation';
import { crc32 } from '../checksums.js';
import { littleEndianBytes, storedDTypes, writtenNames, type StoredDTypeName } from '../dtypes.js';
import { CHECKSUMS, emptyChecksums, sealHeader } from './checksums.js';

/** Text beside the tensors. */
export type SafetensorsMetadata = Readonly<Record<string, string>>;

/** A tensor that is to be written. */
export interface WrittenTensor {
  readonly name: string;
  readonly dtype: StoredDTypeName;
  readonly shape: Shape;
}

/** The official writer's order. Wide elements come first, so that every tensor is aligned to its element size. */
const ORDER = 'F64 I64 U64 F32 I32 U32 F16 BF16 I16 U16 I8 U8 BOOL'.split(' ');

export interface EncodeOptions {
  /**
   * Whether the metadata gets checksums of the header and of each tensor, by which whoever reads the file here finds a
   * single wrong bit; other programs pass over them. Off by default: a file is then what the official library writes.
   */
  readonly checksums?: boolean;
}

/** The beginning of a file, and the order in which its tensors follow. */
export interface SafetensorsLayout {
  /** With checksums, one in which they are zeros yet, to be replaced by {@link SafetensorsLayout.sealed}. */
  readonly header: Uint8Array;
  readonly tensors: readonly WrittenTensor[];
  /** The header with the CRC-32 of each tensor, in order; of the same length. */
  sealed(checksums: readonly number[]): Uint8Array;
}

/** Part of a file: what comes next, or what replaces bytes that were written. */
export type FilePart = Uint8Array | { readonly position: number; readonly bytes: Uint8Array };

/**
 * Lays out a file before any of its tensors is there, so that they can be written one after another: the header, then
 * the little-endian elements of each tensor in the order returned.
 *
 * @throws {ArgumentError} when a name is given twice, or is a reserved one
 */
export function safetensorsLayout(
  tensors: readonly WrittenTensor[],
  metadata: SafetensorsMetadata = {},
  { checksums = false }: EncodeOptions = {},
): SafetensorsLayout {
  if (Object.hasOwn(metadata, CHECKSUMS)) {
    throw new ArgumentError(
      `safetensors: the metadata "${CHECKSUMS}" is for checksums; ask for them with { checksums: true }.`,
    );
  }
  const names = new Set<string>();
  for (const { name } of tensors) {
    if (name === '__metadata__')
      throw new ArgumentError('safetensors: no tensor may have the name "__metadata__".');
    if (names.has(name)) throw new ArgumentError(`safetensors: there are two tensors ${quoted(name)}.`);
    names.add(name);
  }
  const rank = ({ dtype }: WrittenTensor): number => ORDER.indexOf(dtype);
  const ordered = [...tensors].sort((a, b) => rank(a) - rank(b) || compareText(a.name, b.name));
  const entries: [string, unknown][] = [];
  const complete = checksums ? { ...metadata, [CHECKSUMS]: emptyChecksums(ordered.length) } : metadata;
  const keys = Object.keys(complete).sort(compareText);
  if (keys.length > 0) entries.push(['__metadata__', keys.map((key) => [key, complete[key]] as const)]);
  let offset = 0;
  for (const { name, dtype, shape } of ordered) {
    const end = offset + sizeOf(shape) * storedDTypes[dtype].bytes;
    entries.push([name, Object.entries({ dtype, shape, data_offsets: [offset, end] })]);
    offset = end;
  }
  const header = headerBytes(entries);
  return { header, tensors: ordered, sealed: (found) => (checksums ? sealHeader(header, found) : header) };
}

/**
 * A file whose tensors come one after another, so that one is in memory at a time: the header, the tensors and, where
 * there are checksums, the header anew.
 *
 * @param content the little-endian elements of a tensor, in pieces
 */
export async function* safetensorsParts(
  layout: SafetensorsLayout,
  content: (tensor: WrittenTensor) => AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<FilePart> {
  yield layout.header;
  const checksums: number[] = [];
  for (const tensor of layout.tensors) {
    let checksum = 0;
    for await (const piece of content(tensor)) {
      checksum = crc32(piece, checksum);
      yield piece;
    }
    checksums.push(checksum);
  }
  yield { position: 0, bytes: layout.sealed(checksums) };
}

/** {@link safetensorsParts} of arrays: the same file as {@link safetensorsChunks}, whose checksums are taken as it is written. */
export function safetensorsPartsOf(
  tensors: Readonly<Record<string, HostArray>>,
  metadata: SafetensorsMetadata = {},
  options: EncodeOptions = {},
): AsyncGenerator<FilePart> {
  const layout = safetensorsLayout(described(tensors), metadata, options);
  return safetensorsParts(layout, ({ name }) => [littleEndianBytes(tensors[name]!)]);
}

function described(tensors: Readonly<Record<string, HostArray>>): WrittenTensor[] {
  return Object.entries(tensors).map(([name, { dtype, shape }]) => ({
    name,
    dtype: writtenNames[dtype],
    shape,
  }));
}

/**
 * A file as pieces to be written in order, so that the tensors need not be copied into one buffer.
 *
 * @throws {ArgumentError} when a tensor has the reserved name `__metadata__`
 */
export function safetensorsChunks(
  tensors: Readonly<Record<string, HostArray>>,
  metadata: SafetensorsMetadata = {},
  options: EncodeOptions = {},
): Uint8Array[] {
  const layout = safetensorsLayout(described(tensors), metadata, options);
  const contents = layout.tensors.map(({ name }) => littleEndianBytes(tensors[name]!));
  const { checksums = false } = options;
  const header = checksums ? layout.sealed(contents.map((bytes) => crc32(bytes))) : layout.header;
  return [header, ...contents];
}

/** A file as one piece; see {@link safetensorsChunks}. */
export function encodeSafetensors(
  tensors: Readonly<Record<string, HostArray>>,
  metadata: SafetensorsMetadata = {},
  options: EncodeOptions = {},
): Uint8Array {
  const chunks = safetensorsChunks(tensors, metadata, options);
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
