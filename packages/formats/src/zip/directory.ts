/**
 * The central directory of a zip archive (PKWARE's APPNOTE 6.3, with the zip64 records): which entries there are and
 * where they lie, without reading them. It is read strictly, for what it says decides what is read later: entries
 * overlap neither each other nor the directory, and names stay inside the archive.
 */
import { DataError } from '@meanflow/core';
import { readAll, section, type RandomAccess } from '../access/random-access.js';

export type ZipMethod = 'stored' | 'deflate';

export interface ZipEntry {
  readonly name: string;
  readonly method: ZipMethod;
  /** Bytes in the archive. */
  readonly compressedSize: number;
  /** Bytes of the content. */
  readonly size: number;
  /** CRC-32 of the content. */
  readonly crc: number;
  /** Where its local header begins. */
  readonly headerOffset: number;
}

const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const ENTRY = 0x02014b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_HEADER_BYTES = 30;
/** A comment of 65,535 bytes can follow the end record, and a zip64 locator stands before it. */
const TAIL = 65_535 + END_BYTES + 20;
/** A checkpoint of the largest published model has some thousand entries of a hundred bytes. */
const LARGEST_DIRECTORY = 1 << 26;
/** No deflated data is longer, unpacked, than this many times its length. */
const MAX_RATIO = 1032;

/** Where the central directory lies. */
interface DirectoryPlace {
  readonly count: number;
  readonly size: number;
  readonly offset: number;
}

/** @throws {DataError} when the archive is damaged, encrypted, or compressed in a way that is not known */
export async function readZipDirectory(access: RandomAccess): Promise<readonly ZipEntry[]> {
  const fail = (problem: string): never => {
    throw new DataError(`${access.source} is not an intact zip archive: ${problem}.`);
  };
  const place = await findDirectory(access, fail);
  if (place.offset + place.size > access.size) fail('its directory lies beyond its end');
  const bytes = await readAll(
    section(access, place.offset, place.size, `The directory of ${access.source}`),
    LARGEST_DIRECTORY,
  );
  const entries = readEntries(bytes, place.count, fail);
  checkPlaces(entries, place.offset, fail);
  return entries;
}

async function findDirectory(
  access: RandomAccess,
  fail: (problem: string) => never,
): Promise<DirectoryPlace> {
  const length = Math.min(TAIL, access.size);
  const tailOffset = access.size - length;
  const tail = viewOf(await access.read(tailOffset, length));
  let end = length - END_BYTES;
  // The record ends the file, but for its comment, whose length it gives.
  while (
    end >= 0 &&
    !(tail.getUint32(end, true) === END && end + END_BYTES + tail.getUint16(end + 20, true) === length)
  ) {
    end--;
  }
  if (end < 0) return fail('there is no end record; it is truncated, or something else');
  if (tail.getUint16(end + 4, true) !== 0 && tail.getUint16(end + 4, true) !== 0xffff) {
    fail('it is one of several volumes');
  }
  const place = {
    count: tail.getUint16(end + 10, true),
    size: tail.getUint32(end + 12, true),
    offset: tail.getUint32(end + 16, true),
  };
  const needs64 = place.count === 0xffff || place.size === 0xffffffff || place.offset === 0xffffffff;
  if (end < 20 || tail.getUint32(end - 20, true) !== LOCATOR64)
    return needs64 ? fail('its zip64 record is missing') : place;
  const at = wide(tail, end - 20 + 8, fail);
  const record = viewOf(await section(access, at, 56).read(0, 56));
  if (record.getUint32(0, true) !== END64) fail('its zip64 record is damaged');
  return {
    count: wide(record, 32, fail),
    size: wide(record, 40, fail),
    offset: wide(record, 48, fail),
  };
}

function readEntries(bytes: Uint8Array, count: number, fail: (problem: string) => never): ZipEntry[] {
  const view = viewOf(bytes);
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  let at = 0;
  while (at < bytes.length) {
    if (at + ENTRY_BYTES > bytes.length || view.getUint32(at, true) !== ENTRY)
      fail('its directory is damaged');
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + ENTRY_BYTES + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > bytes.length) fail('its directory is truncated');
    const name = decodeName(bytes.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + nameLength), fail);
    const extra = viewOf(
      bytes.subarray(at + ENTRY_BYTES + nameLength, at + ENTRY_BYTES + nameLength + extraLength),
    );
    checkName(name, fail);
    if (names.has(name)) fail(`it holds two entries "${name}"`);
    names.add(name);
    if (!name.endsWith('/')) entries.push(readEntry(name, view, at, extra, fail));
    at = next;
  }
  if (names.size !== count) fail(`its directory has ${names.size} entries, its end record says ${count}`);
  return entries;
}

function readEntry(
  name: string,
  view: DataView,
  at: number,
  extra: DataView,
  fail: (problem: string) => never,
): ZipEntry {
  if (view.getUint16(at + 8, true) & 1) fail(`entry "${name}" is encrypted`);
  const code = view.getUint16(at + 10, true);
  if (code !== 0 && code !== 8) {
    fail(`entry "${name}" is compressed by method ${code}, expected stored (0) or deflate (8)`);
  }
  // A field of all ones stands in the zip64 record instead; the record has only those, in this order.
  const sizes = { size: view.getUint32(at + 24, true), compressedSize: view.getUint32(at + 20, true), headerOffset: view.getUint32(at + 42, true) }; // prettier-ignore
  const record = zip64Record(extra);
  let position = 0;
  for (const key of ['size', 'compressedSize', 'headerOffset'] as const) {
    if (sizes[key] !== 0xffffffff) continue;
    if (record === undefined || position + 8 > record.byteLength)
      return fail(`entry "${name}" lacks its zip64 sizes`);
    sizes[key] = wide(record, position, fail);
    position += 8;
  }
  if (code === 0 && sizes.size !== sizes.compressedSize) {
    fail(
      `entry "${name}" is stored, but ${sizes.compressedSize} bytes are to become ${sizes.size}: it lies about its size`,
    );
  }
  if (code === 8 && sizes.size > MAX_RATIO * sizes.compressedSize + 64) {
    fail(
      `entry "${name}" says that its ${sizes.compressedSize} bytes unpack to ${sizes.size}, which no archive can`,
    );
  }
  return {
    name,
    method: code === 0 ? 'stored' : 'deflate',
    crc: view.getUint32(at + 16, true),
    ...sizes,
  };
}

function zip64Record(extra: DataView): DataView | undefined {
  let at = 0;
  while (at + 4 <= extra.byteLength) {
    const length = extra.getUint16(at + 2, true);
    if (extra.getUint16(at, true) === 1 && at + 4 + length <= extra.byteLength) {
      return new DataView(extra.buffer, extra.byteOffset + at + 4, length);
    }
    at += 4 + length;
  }
  return undefined;
}

/** Entries lie one after another before the directory; shared bytes are how a small archive claims to be a large one. */
function checkPlaces(
  entries: readonly ZipEntry[],
  directory: number,
  fail: (problem: string) => never,
): void {
  const ordered = [...entries].sort((a, b) => a.headerOffset - b.headerOffset);
  ordered.forEach(({ name, headerOffset, compressedSize }, i) => {
    const end = headerOffset + LOCAL_HEADER_BYTES + compressedSize;
    const next = ordered[i + 1]?.headerOffset ?? directory;
    if (end > next) fail(`entry "${name}" overlaps what follows it, or lies beyond the end`);
  });
}

function checkName(name: string, fail: (problem: string) => never): void {
  const segments = name.split('/');
  if (name.startsWith('/') || name.includes('\\') || name.includes('\0') || segments.includes('..')) {
    fail(`it holds an entry ${JSON.stringify(name)}, whose name leads out of the archive`);
  }
}

function decodeName(bytes: Uint8Array, fail: (problem: string) => never): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return fail('the name of an entry is not UTF-8 text');
  }
}

/** A number of eight bytes. */
function wide(view: DataView, at: number, fail: (problem: string) => never): number {
  const value = view.getBigUint64(at, true);
  return value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : fail('a size in it is larger than any file');
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
