/** Safetensors by random access: the header is read, and each tensor when it is asked for. */
import { ArgumentError, DataError } from '@meanflow/core';
import type { Pieces } from '../access/pieces.js';
import { piecesOf, section, type RandomAccess } from '../access/random-access.js';
import {
  checkedCatalogue,
  nameOfTensor,
  type Catalogue,
  type PlainValue,
  type StoredTensor,
} from '../catalogue.js';
import { crc32 } from '../checksums.js';
import type { SafetensorsMetadata } from './encode.js';
import { headerEnd, readSafetensorsHeader, type HeaderLimits, type TensorEntry } from './header.js';

const FORMAT = 'safetensors';

/** A safetensors file of which the header is read. */
export interface SafetensorsFile extends Catalogue {
  readonly metadata: SafetensorsMetadata;
  /** Whether its tensors have checksums, which are checked as they are read. */
  readonly hasChecksums: boolean;
}

/** @throws {DataError} when the file is damaged, or exceeds a limit */
export async function readSafetensors(access: RandomAccess, limits?: HeaderLimits): Promise<SafetensorsFile> {
  const { source, size } = access;
  const first = await access.read(0, Math.min(8, size));
  const header = await access.read(0, headerEnd(first, size, source, limits));
  const { entries, metadata, checksums } = readSafetensorsHeader(header, size, source, limits);
  const tensors = entries.map((entry, i) => storedTensor(access, entry, checksums?.[i]));
  const values = Object.entries(metadata).map(([name, value]): PlainValue => ({ name, value }));
  const catalogue = checkedCatalogue({ format: FORMAT, source, tensors, values });
  return { ...catalogue, metadata, hasChecksums: checksums !== undefined };
}

function storedTensor(
  access: RandomAccess,
  { name, dtype, shape, begin, end }: TensorEntry,
  checksum: number | undefined,
): StoredTensor {
  const { source } = access;
  const what = nameOfTensor({ name, source });
  return {
    name,
    dtype,
    shape,
    source,
    pieces: () => checkedPieces(piecesOf(section(access, begin, end - begin)), checksum, what),
    readInto: async (target) => {
      if (target.length !== end - begin) throw new ArgumentError(`${what} has ${end - begin} bytes.`);
      await access.readInto(begin, target);
      if (checksum !== undefined) checkChecksum(crc32(target), checksum, what);
    },
  };
}

async function* checkedPieces(
  pieces: Pieces,
  checksum: number | undefined,
  what: string,
): AsyncGenerator<Uint8Array> {
  let found = 0;
  for await (const piece of pieces) {
    if (checksum !== undefined) found = crc32(piece, found);
    yield piece;
  }
  if (checksum !== undefined) checkChecksum(found, checksum, what);
}

/** @throws {DataError} unless they are equal */
export function checkChecksum(found: number, expected: number, what: string): void {
  if (found === expected) return;
  throw new DataError(`${what} is damaged: its checksum does not match.`);
}

/**
 * Reads all tensors of a catalogue, and keeps none of them.
 *
 * @throws {DataError} when one is damaged, as far as its format can tell, or cannot be read
 */
export async function verifyTensors({ tensors }: Pick<Catalogue, 'tensors'>): Promise<void> {
  for (const tensor of tensors) {
    const pieces = tensor.pieces()[Symbol.asyncIterator]();
    while (!(await pieces.next()).done);
  }
}
