/**
 * Reading the header of a safetensors file, strictly: a file that is truncated, that has gaps, overlaps, duplicate or
 * unknown fields, or whose shapes do not fit its bytes is refused with what is wrong and where.
 */
import { DataError, sizeOf, type Shape } from '@meanflow/core';
import { formatShape, printableJson, quoted } from '@meanflow/core/validation';
import { isStoredDType, storedDTypes, type StoredDTypeName } from '../dtypes.js';
import { isObject, parseJson } from '../json.js';
import { CHECKSUMS, parseChecksums } from './checksums.js';
import type { SafetensorsMetadata } from './encode.js';

/** The official reader's limit. */
const MAX_HEADER_BYTES = 100_000_000;
/** Many times what the largest published models have. */
const MAX_TENSORS = 200_000;

/** What a header may be at most. */
export interface HeaderLimits {
  /** 100,000,000 by default, as the official reader has it. */
  readonly headerBytes?: number;
  /** 200,000 by default. */
  readonly tensors?: number;
}

/** Where a tensor lies and what it is. */
export interface TensorEntry {
  readonly name: string;
  /** As the format names it, such as `F32`. */
  readonly dtype: StoredDTypeName;
  readonly shape: Shape;
  /** First byte, counted from the start of the file. */
  readonly begin: number;
  /** One past the last byte. */
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In order of position. */
  readonly entries: readonly TensorEntry[];
  /** Without the checksums. */
  readonly metadata: SafetensorsMetadata;
  /** CRC-32 of the bytes of each of `entries`; undefined where the file has none, as those of other programs. */
  readonly checksums: readonly number[] | undefined;
}

/**
 * The header of a file.
 *
 * @param bytes the beginning of the file, at least up to the end of the header
 * @param fileLength bytes in the whole file
 * @param source what the bytes were read from, for messages
 * @throws {DataError} when the file is damaged, or exceeds a limit
 */
export function readSafetensorsHeader(
  bytes: Uint8Array,
  fileLength: number,
  source: string,
  limits: HeaderLimits = {},
): SafetensorsHeader {
  const fail = (problem: string): never => {
    throw new DataError(`${source} is not an intact safetensors file: ${problem}.`);
  };
  const { tensors: mostTensors = MAX_TENSORS } = limits;
  const dataStart = headerEnd(bytes, fileLength, source, limits);
  const text = decodeText(bytes.subarray(8, dataStart)) ?? fail('its header is not UTF-8 text');
  if (!text.startsWith('{')) fail('its header does not begin with "{"');
  // A tensor has a name and three fields, and as many numbers as axes.
  const json = parseJson(text, `${source} is not an intact safetensors file: its header`, {
    depth: 8,
    keys: 5 * mostTensors,
    items: 40 * mostTensors,
  });
  if (!isObject(json)) return fail('its header is not a JSON object');

  const { __metadata__: rawMetadata = {}, ...tensors } = json;
  if (!isObject(rawMetadata) || !Object.values(rawMetadata).every((value) => typeof value === 'string')) {
    return fail('"__metadata__" is not an object of texts');
  }
  const count = Object.keys(tensors).length;
  if (count > mostTensors) fail(`it holds ${count} tensors, expected at most ${mostTensors}`);
  const entries = Object.entries(tensors).map(([name, info]) => readEntry(name, info, dataStart, fail));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let position = dataStart;
  for (const { name, begin, end } of entries) {
    if (begin !== position) {
      const kind = begin < position ? 'overlaps the tensor before it' : 'leaves a gap before it';
      fail(`tensor ${quoted(name)} ${kind}: it begins at byte ${begin}, expected ${position}`);
    }
    position = end;
  }
  if (position > fileLength) {
    fail(`it ends at byte ${fileLength}, but its tensors end at byte ${position}: the file is truncated`);
  }
  if (position < fileLength) fail(`${fileLength - position} bytes follow its last tensor`);
  const { [CHECKSUMS]: written, ...metadata } = rawMetadata as SafetensorsMetadata;
  const checksums =
    written === undefined ? undefined : parseChecksums(written, bytes.subarray(0, dataStart), count, fail);
  return { entries, metadata, checksums };
}

/**
 * Where the header ends and the tensors begin.
 *
 * @param bytes at least the first eight bytes of the file
 * @throws {DataError} when the file is too short for its header
 */
export function headerEnd(
  bytes: Uint8Array,
  fileLength: number,
  source: string,
  { headerBytes = MAX_HEADER_BYTES }: HeaderLimits = {},
): number {
  const problem = ((): string | undefined => {
    if (fileLength < 8 || bytes.length < 8) return `it has ${fileLength} bytes, expected at least 8`;
    const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
    if (length > BigInt(headerBytes)) {
      return `its first 8 bytes give a header of ${length} bytes, expected at most ${headerBytes}`;
    }
    if (8n + length > BigInt(fileLength)) {
      return `its header ends at byte ${8n + length}, but the file has ${fileLength} bytes: the file is truncated`;
    }
    return undefined;
  })();
  if (problem !== undefined) throw new DataError(`${source} is not an intact safetensors file: ${problem}.`);
  return 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function readEntry(
  name: string,
  info: unknown,
  dataStart: number,
  fail: (problem: string) => never,
): TensorEntry {
  if (!isObject(info)) return fail(`tensor ${quoted(name)} is not described by an object`);
  const unknown = Object.keys(info).find((key) => !['dtype', 'shape', 'data_offsets'].includes(key));
  if (unknown !== undefined) fail(`tensor ${quoted(name)} has an unknown field ${quoted(unknown)}`);
  const { dtype, shape, data_offsets: offsets } = info;
  if (!isStoredDType(dtype)) {
    const known = Object.keys(storedDTypes).join(', ');
    return fail(`tensor ${quoted(name)} has dtype ${printableJson(dtype)}, expected one of ${known}`);
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    return fail(`tensor ${quoted(name)} has shape ${printableJson(shape)}, expected a list of whole numbers`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    return fail(`tensor ${quoted(name)} has data_offsets ${printableJson(offsets)}, expected [begin, end]`);
  }
  const [begin, end] = offsets as [number, number];
  const expected = sizeOf(shape) * storedDTypes[dtype].bytes;
  if (end - begin !== expected) {
    const given = `${dtype} ${formatShape(shape)} needs ${expected} bytes`;
    fail(`tensor ${quoted(name)}: ${given}, data_offsets [${begin}, ${end}] hold ${end - begin}`);
  }
  return { name, dtype, shape, begin: dataStart + begin, end: dataStart + end };
}

function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
