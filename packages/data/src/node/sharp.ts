/**
 * Images by libvips (`sharp`), loaded when the first is read, and BMP by our own reader. Files are recognised by how they
 * begin, their size is held against a limit before a pixel is decoded, and what comes out are 8 bits of grey or sRGB, upright
 * as the camera noted, of the first page or frame. A damaged file is read where the decoder survives it, as Pillow does: stray
 * bytes, odd versions and a missing end are passed over; an image that breaks off is not read.
 */
import { open } from 'node:fs/promises';
import { DataError } from '@meanflow/core';
import type { Metadata, SharpOptions } from 'sharp';
import { bmpSize, decodeBmp } from '../images/bmp.js';
import {
  describeContent,
  EXPECTED_IMAGE,
  imageKindOf,
  SIGNATURE_BYTES,
  type ImageKind,
} from '../images/image-kinds.js';
import { checkSize, type Pixels } from '../images/pixels.js';
import { UnreadableImage } from '../images/unreadable-image.js';
import { loadSharp, type Sharp } from './load-sharp.js';
import { fileErrorReason } from './read-file.js';

/** The limit on pixels is our own, of bytes; truncated images are refused, and what is less is not. */
const options: SharpOptions = { failOn: 'truncated', limitInputPixels: false, autoOrient: true };
/** Bytes of a sample that are turned into 8 bits. */
const sampleBytes: Readonly<Record<string, number>> = { uchar: 1, ushort: 2 };
const END_OF_IMAGE = [0xff, 0xd9];

/** The size of an image file, upright, and its kind; no pixel is decoded. */
export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/**
 * The size of an image file.
 *
 * @throws {UnreadableImage} when it cannot be read, is no image, or one that is damaged within its header or larger than allowed
 */
export async function imageSizeOf(path: string, maxBytes: number): Promise<ImageSize> {
  const sharp = await loadSharp();
  const beginning = await beginningOf(path);
  if (checkedKind(beginning, path) === 'bmp') return bmpSize(beginning, path, maxBytes);
  const metadata = await attempt(path, beginning, () => sharp(path, options).metadata());
  checkMetadata(metadata, path, maxBytes);
  return metadata.autoOrient;
}

/** The first bytes of a file. @throws {UnreadableImage} when it cannot be read */
export async function beginningOf(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(
        new Uint8Array(2 * SIGNATURE_BYTES),
        0,
        2 * SIGNATURE_BYTES,
        0,
      );
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new UnreadableImage(path, fileErrorReason(error, 'an image'), { cause: error });
  }
}

/**
 * Decodes an image.
 *
 * @param bytes the whole file
 * @param source its name, for messages
 * @param maxBytes most bytes that its pixels may take, as its header says
 * @returns in three channels, or four where it has transparency; upright
 * @throws {UnreadableImage} when it is no image, is damaged beyond what the decoder survives, or larger than allowed
 */
export async function decodeImage(bytes: Uint8Array, source: string, maxBytes: number): Promise<Pixels> {
  const sharp = await loadSharp();
  const kind = checkedKind(bytes, source);
  if (kind === 'bmp') return decodeBmp(bytes, source, maxBytes);
  return attempt(source, bytes, async () => {
    const metadata = await sharp(bytes, options).metadata();
    checkMetadata(metadata, source, maxBytes);
    try {
      return await decoded(sharp, bytes, options, metadata);
    } catch (error) {
      // A JPEG image that lacks nothing but the marker of its end is whole. Anything else that it lacks is warned of.
      if (kind !== 'jpeg') throw error;
      const ended = Buffer.concat([bytes, Uint8Array.from(END_OF_IMAGE)]);
      return decoded(sharp, ended, { ...options, failOn: 'warning' }, metadata).catch(() => {
        throw error;
      });
    }
  });
}

async function decoded(
  sharp: Sharp,
  bytes: Uint8Array,
  decoding: SharpOptions,
  { space, hasProfile }: Metadata,
): Promise<Pixels> {
  const image = sharp(bytes, decoding);
  // Without a profile that says what the inks look like they are taken for the complements of red, green and blue.
  const isPlainCmyk = space === 'cmyk' && !hasProfile;
  const toned = isPlainCmyk
    ? image.pipelineColourspace('cmyk').toColourspace('cmyk')
    : image.toColourspace('srgb');
  const { data, info } = await toned.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const pixels = { width, height, channels, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
  return isPlainCmyk ? withoutInks(pixels) : pixels;
}

/** Cyan, magenta, yellow and black as red, green and blue; a fifth channel is alpha, which prints do not have. */
function withoutInks({ width, height, channels, data }: Pixels): Pixels {
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += channels) {
    const paper = 255 - data[from + 3]!;
    for (let ink = 0; ink < 3; ink++) rgb[to++] = Math.round(((255 - data[from + ink]!) * paper) / 255);
  }
  return { width, height, channels: 3, data: rgb };
}

function checkMetadata(
  { width, height, channels, depth, format }: Metadata,
  source: string,
  maxBytes: number,
): void {
  const bytes = sampleBytes[depth];
  if (bytes === undefined) {
    throw new UnreadableImage(
      source,
      `found ${format} samples of type ${depth}, whose range is not known, expected 8 or 16 bits: save it so`,
    );
  }
  checkSize({ width, height, channels, bytes }, source, maxBytes);
}

function checkedKind(beginning: Uint8Array, source: string): ImageKind {
  const kind = imageKindOf(beginning);
  if (kind === undefined) {
    throw new UnreadableImage(
      source,
      `${describeContent(beginning.subarray(0, SIGNATURE_BYTES))}, expected ${EXPECTED_IMAGE}`,
    );
  }
  return kind;
}

/** What the decoder says of a damaged image, once and in one line. */
async function attempt<T>(source: string, bytes: Uint8Array, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DataError) throw error;
    const lines = (error as Error).message.split('\n').map((line) => line.trim());
    const reason = [...new Set(lines)].filter((line) => line !== '').join('; ');
    const kind = imageKindOf(bytes)?.toUpperCase() ?? 'image';
    throw new UnreadableImage(source, `the ${kind} image is damaged or cut short (${reason})`, {
      cause: error,
    });
  }
}
