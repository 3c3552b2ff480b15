/** Images of a network in 8 bits, as files have them: row by row, the channels of a pixel together; and PNG files of them. */
import { ArgumentError, sizeOf, type HostArray } from '@meanflow/core';
import { formatShape } from '@meanflow/core/validation';
import { encode } from 'fast-png';
import { layoutOf, stridesOf, type ImageShape } from './layout.js';
import { type Pixels } from './pixels.js';

/** −1 … 1 to 0 … 255; what lies beyond is cut. */
export function byteOf(value: number): number {
  return Math.round((Math.max(-1, Math.min(1, value)) + 1) * 127.5);
}

/**
 * @param images `[count, ...image]` from −1 to 1, flattened or in either layout
 * @returns uint8 `[count, height, width, channels]`
 * @throws {ArgumentError} when they are of another shape
 */
export function imageBytes(images: HostArray, imageShape: ImageShape): Uint8Array {
  const [height, width, channels] = imageShape;
  const size = sizeOf(imageShape);
  const [count = 0] = images.shape;
  if (images.shape.length < 2 || images.size !== count * size) {
    throw new ArgumentError(
      `Found images ${formatShape(images.shape)}, expected [count, ...image] of ${formatShape(imageShape)}.`,
    );
  }
  const from = stridesOf(imageShape, layoutOf(images.shape.slice(1), imageShape));
  const bytes = new Uint8Array(images.size);
  for (let image = 0, to = 0; image < count; image++) {
    for (let pixel = 0; pixel < height * width; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        bytes[to++] = byteOf(images.data[image * size + pixel * from.pixel + channel * from.channel]!);
      }
    }
  }
  return bytes;
}

/** A PNG file of an image of 1 to 4 channels. */
export function encodePng({ width, height, channels, data }: Pixels): Uint8Array {
  return encode({ width, height, channels, data, depth: 8 });
}
