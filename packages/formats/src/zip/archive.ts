/**
 * The entries of a zip archive: a stored one is a range of the file, read from anywhere; a deflated one is a stream that
 * ends where its declared size does, however much more would come.
 */
import { DataError } from '@meanflow/core';
import type { Pieces } from '../access/pieces.js';
import { piecesOf, section, type RandomAccess } from '../access/random-access.js';
import { crc32 } from '../checksums.js';
import { decompressed } from '../compression/decompress.js';
import { readZipDirectory, type ZipEntry } from './directory.js';

export interface ZipArchive {
  readonly source: string;
  readonly entries: readonly ZipEntry[];
  /** An entry as messages name it. */
  describe(entry: ZipEntry): string;
  /**
   * The bytes of a stored entry, read once through for its checksum.
   *
   * @throws {DataError} for a compressed one, or when it is damaged
   */
  stored(entry: ZipEntry): Promise<RandomAccess>;
  /** The content of an entry, checked against its size and checksum. */
  content(entry: ZipEntry): Pieces;
}

const LOCAL = 0x04034b50;

/** @throws {DataError} when the archive is damaged */
export async function openZip(access: RandomAccess): Promise<ZipArchive> {
  const entries = await readZipDirectory(access);
  const describe = ({ name }: ZipEntry): string => `Entry "${name}" of ${access.source}`;

  const raw = async (entry: ZipEntry): Promise<RandomAccess> => {
    const header = await section(access, entry.headerOffset, 30).read(0, 30);
    const view = new DataView(header.buffer, header.byteOffset, header.length);
    if (view.getUint32(0, true) !== LOCAL) {
      throw new DataError(`${describe(entry)} is not where the directory says: the archive is damaged.`);
    }
    // Its name and extra field may differ in length from those in the directory: PyTorch pads here to align data.
    const begin = entry.headerOffset + 30 + view.getUint16(26, true) + view.getUint16(28, true);
    return section(access, begin, entry.compressedSize, describe(entry));
  };

  // PyTorch can be told to leave them out (`torch.serialization.set_crc32_options`), and then has none for any.
  const hasChecksums = entries.some(({ size, crc }) => size > 0 && crc !== 0);
  const checkCrc = (entry: ZipEntry, crc: number): void => {
    if (!hasChecksums || crc === entry.crc) return;
    throw new DataError(`${describe(entry)} is damaged: its checksum does not match.`);
  };
  /** What was found of entries that were read through: tensors may share one. */
  const checked = new Map<ZipEntry, Promise<void>>();
  const check = async (entry: ZipEntry, content: RandomAccess): Promise<void> => {
    let crc = 0;
    for await (const piece of piecesOf(content)) crc = crc32(piece, crc);
    checkCrc(entry, crc);
  };

  return {
    source: access.source,
    entries,
    describe,
    stored: async (entry) => {
      if (entry.method !== 'stored') {
        throw new DataError(`${describe(entry)} is compressed; it should be stored as it is.`);
      }
      const content = await raw(entry);
      if (hasChecksums) {
        const known = checked.get(entry) ?? check(entry, content);
        checked.set(entry, known);
        await known;
      }
      return content;
    },
    content: async function* (entry) {
      const compressed = piecesOf(await raw(entry));
      const pieces =
        entry.method === 'stored'
          ? compressed
          : decompressed(compressed, 'deflate', entry.size, describe(entry));
      let crc = 0;
      let total = 0;
      for await (const piece of pieces) {
        crc = crc32(piece, crc);
        total += piece.length;
        yield piece;
      }
      if (total !== entry.size) {
        throw new DataError(
          `${describe(entry)} has ${total} bytes, the directory says ${entry.size}: the archive is damaged.`,
        );
      }
      checkCrc(entry, crc);
    },
  };
}
