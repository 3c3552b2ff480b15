/**
 * What is done to a PNG file before it is decoded: its chunks are walked, their checksums compared, its size held against a
 * limit, and its image data inflated once into a buffer of exactly the length that the header implies. What goes on to
 * the decoder is a file of the necessary chunks with that data stored, so that neither a compressed bomb nor a damaged
 * comment reaches it. Chunks: PNG specification (third edition), sections 5 and 11.
 */
import { DataError } from '@meanflow/core';
import { crc32 } from '@meanflow/formats';
import { unzlibSync, zlibSync } from 'fflate';
import { MOST_PIXELS } from './pixels.js';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const HEADER_BYTES = 13;
/** Samples of a pixel by colour type: grey, RGB, palette, grey and alpha, RGB and alpha. */
const samples: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** Chunks that decide pixels. */
const NEEDED = ['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND'];
/** First column and row, and distances, of the seven passes of an interlaced image. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** What a PNG's header says. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Bits of a sample. */
  readonly depth: number;
  readonly colourType: number;
  readonly isInterlaced: boolean;
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

export function isPng(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, i) => bytes[i] === byte);
}

/**
 * The header of a PNG file.
 *
 * @param bytes at least its first 33
 * @throws {DataError} when it is none, or of too many pixels
 */
export function readPngHeader(bytes: Uint8Array, source: string): PngHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isHeader = bytes.length >= 33 && view.getUint32(8) === HEADER_BYTES && typeAt(bytes, 12) === 'IHDR';
  if (!isPng(bytes) || !isHeader)
    throw new DataError(`${source}: it is no PNG image, or only its beginning.`);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, colourType, , , interlace] = bytes.subarray(24, 29);
  if (width < 1 || height < 1 || !(width * height <= MOST_PIXELS)) {
    throw new DataError(
      `${source}: the PNG image says it has ${width} by ${height} pixels, expected 1 to ${MOST_PIXELS} in all.`,
    );
  }
  if (!Object.hasOwn(samples, colourType) || ![1, 2, 4, 8, 16].includes(depth) || interlace > 1) {
    throw new DataError(
      `${source}: found a PNG image of colour type ${colourType} with ${depth} bits, which no PNG has.`,
    );
  }
  if (interlace === 1 && depth < 8) {
    throw new DataError(
      `${source}: found an interlaced PNG image of ${depth} bits: save it without interlacing.`,
    );
  }
  return { width, height, depth, colourType, isInterlaced: interlace === 1 };
}

/**
 * The same image as a file that is safe to decode.
 *
 * @throws {DataError} when it is no PNG, is of too many pixels, is cut short or damaged
 */
export function checkedPng(bytes: Uint8Array, source: string): { file: Uint8Array; header: PngHeader } {
  const header = readPngHeader(bytes, source);
  const chunks = chunksOf(bytes, source);
  const compressed = chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data);
  const expected = rawBytes(header);
  let raw: Uint8Array;
  try {
    raw = unzlibSync(concatenated(compressed), { out: new Uint8Array(expected) });
  } catch (error) {
    throw new DataError(`${source}: the PNG image's data is damaged (${(error as Error).message}).`, {
      cause: error,
    });
  }
  if (raw.length < expected) {
    throw new DataError(`${source}: the PNG image has ${raw.length} bytes of pixels, expected ${expected}.`);
  }
  const others = chunks.filter(({ type }) => type !== 'IDAT' && type !== 'IEND');
  const stored = { type: 'IDAT', data: zlibSync(raw, { level: 0 }) };
  const parts = [...others, stored, { type: 'IEND', data: new Uint8Array(0) }].map(written);
  return { file: concatenated([Uint8Array.from(SIGNATURE), ...parts]), header };
}

/** The chunks that decide pixels, up to the end. */
function chunksOf(bytes: Uint8Array, source: string): readonly Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const chunks: Chunk[] = [];
  for (let at = SIGNATURE.length; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const end = at + 8 + length;
    if (end + 4 > bytes.length) break;
    const type = typeAt(bytes, at + 4);
    if (NEEDED.includes(type)) {
      if (crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end)) {
        throw new DataError(`${source}: the PNG image's chunk ${type} is damaged: its checksum is wrong.`);
      }
      chunks.push({ type, data: bytes.subarray(at + 8, end) });
    }
    if (type === 'IEND') return chunks;
    at = end + 4;
  }
  throw new DataError(`${source}: the PNG image is cut short.`);
}

/** Bytes of filtered rows, each behind its filter's number. */
function rawBytes({ width, height, depth, colourType, isInterlaced }: PngHeader): number {
  const rows = (columns: number, count: number): number =>
    columns === 0 ? 0 : count * (1 + Math.ceil((columns * samples[colourType] * depth) / 8));
  if (!isInterlaced) return rows(width, height);
  return PASSES.reduce(
    (sum, [x, y, stepX, stepY]) =>
      sum + rows(Math.max(0, Math.ceil((width - x) / stepX)), Math.max(0, Math.ceil((height - y) / stepY))),
    0,
  );
}

/** A chunk without its checksum, which was compared already. */
function written({ type, data }: Chunk): Uint8Array {
  const chunk = new Uint8Array(12 + data.length);
  new DataView(chunk.buffer).setUint32(0, data.length);
  chunk.set(new TextEncoder().encode(type), 4);
  chunk.set(data, 8);
  return chunk;
}

function typeAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
