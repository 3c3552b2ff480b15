/** The size of a JPEG image out of its frame header, which decides whether it is decoded at all. ITU-T T.81, annex B. */
import { DataError } from '@meanflow/core';
import { MOST_PIXELS } from './pixels.js';

/** What a JPEG's frame header says. */
export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** 1 of a grey image, 3 of a coloured one. */
  readonly components: number;
}

/** Frames that are decoded: baseline, extended and progressive, with Huffman codes. */
const FRAMES = [0xc0, 0xc1, 0xc2];
/** Markers of other frames: lossless, hierarchical, or with arithmetic codes. */
const OTHER_FRAMES = [0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf];

export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
}

/**
 * The header of a JPEG file.
 *
 * @param bytes the file, at least up to its frame header
 * @throws {DataError} when it is none, is cut short before its frame, of too many pixels, or of a kind that is not decoded
 */
export function readJpegHeader(bytes: Uint8Array, source: string): JpegHeader {
  if (!isJpeg(bytes)) throw new DataError(`${source}: it is no JPEG image.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1];
    // Bytes of 0xff before a marker fill.
    if (marker === 0xff) at += 1;
    else if (FRAMES.includes(marker) && at + 10 <= bytes.length) {
      return checked(view.getUint16(at + 7), view.getUint16(at + 5), bytes[at + 9], source);
    } else if (OTHER_FRAMES.includes(marker)) {
      throw new DataError(
        `${source}: found a JPEG image with lossless or arithmetic coding: save it as baseline or progressive JPEG.`,
      );
    } else at += 2 + view.getUint16(at + 2);
  }
  throw new DataError(`${source}: the JPEG image is cut short or damaged: it has no frame header.`);
}

function checked(width: number, height: number, components: number, source: string): JpegHeader {
  if (width < 1 || height < 1 || width * height > MOST_PIXELS) {
    throw new DataError(
      `${source}: the JPEG image says it has ${width} by ${height} pixels, expected 1 to ${MOST_PIXELS} in all.`,
    );
  }
  if (components !== 1 && components !== 3) {
    throw new DataError(
      `${source}: found a JPEG image of ${components} components, such as CMYK, expected grey or colours: save it as RGB.`,
    );
  }
  return { width, height, components };
}
