/**
 * The npz format: a zip archive of npy files, stored or deflated. fflate unpacks; the archive's directory is held
 * against a limit before anything is unpacked, and each file against its length and checksum after, so that a lying or
 * damaged archive is an error and never more memory than was allowed.
 */
import { ArgumentError, DataError, type HostArray } from '@meanflow/core';
import { unzipSync, zipSync, type UnzipFileInfo, type Zippable } from 'fflate';
import { crc32, directoryChecksums } from './checksums.js';
import { decodeNpy, encodeNpy } from './npy.js';

export interface DecodeNpzOptions {
  /** Most bytes that the unpacked arrays may take together; 4 GiB by default. */
  readonly maxBytes?: number;
  /** Only these arrays; all by default. */
  readonly names?: readonly string[];
}

/** No deflated data is longer, unpacked, than this many times its length. */
const MAX_RATIO = 1032;

/**
 * The arrays of an archive by name.
 *
 * @param bytes the whole file
 * @param source the file's name, for messages
 * @throws {DataError} when it is no zip archive, is cut short or damaged, unpacks to more than allowed, lacks a name that
 *   was asked for, or one of its files is no array
 */
export function decodeNpz(
  bytes: Uint8Array,
  source: string,
  { maxBytes = 2 ** 32, names }: DecodeNpzOptions = {},
): Record<string, HostArray> {
  const found: string[] = [];
  let total = 0;
  const filter = (info: UnzipFileInfo): boolean => {
    const name = arrayName(info.name);
    found.push(name);
    if (names !== undefined && !names.includes(name)) return false;
    if (info.originalSize > MAX_RATIO * info.size + 64) {
      throw new DataError(
        `${source}: "${info.name}" says that its ${info.size} bytes unpack to ${info.originalSize}, which no archive can.`,
      );
    }
    total += info.originalSize;
    if (total > maxBytes) {
      throw new DataError(
        `${source}: its arrays unpack to more than the ${maxBytes} bytes that are allowed.`,
      );
    }
    return true;
  };
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, { filter });
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`${source}: it is no npz archive, or a damaged one (${(error as Error).message}).`, {
      cause: error,
    });
  }
  const missing = names?.filter((name) => !found.includes(name)) ?? [];
  if (missing.length > 0) {
    throw new DataError(
      `${source}: there is no array ${missing.map((name) => `"${name}"`).join(', ')}; it holds ${found.join(', ') || 'none'}.`,
    );
  }
  const checksums = directoryChecksums(bytes);
  return Object.fromEntries(
    Object.entries(files).map(([file, content]) => {
      const expected = checksums.get(file);
      if (expected === undefined || expected.size !== content.length || expected.crc !== crc32(content)) {
        throw new DataError(
          `${source}: "${file}" is damaged: its length or checksum is not what the archive says.`,
        );
      }
      return [arrayName(file), decodeNpy(content, `${source}: "${file}"`)];
    }),
  );
}

/**
 * An archive of arrays, which NumPy's `load` reads; the same arrays give the same bytes.
 *
 * @param options.compress deflate the arrays, as `savez_compressed` does; off by default
 * @throws {ArgumentError} when a name is empty
 */
export function encodeNpz(
  arrays: Readonly<Record<string, HostArray>>,
  options: { readonly compress?: boolean } = {},
): Uint8Array {
  const level = options.compress ? 6 : 0;
  const files: Zippable = {};
  for (const name of Object.keys(arrays).sort()) {
    if (name === '') throw new ArgumentError('An array of an npz archive needs a name.');
    // Without a time of its own the archive would carry the hour at which it was written.
    files[`${name}.npy`] = [encodeNpy(arrays[name]), { level, mtime: new Date(1980, 0, 1) }];
  }
  return zipSync(files);
}

function arrayName(file: string): string {
  return file.replace(/\.npy$/, '');
}
