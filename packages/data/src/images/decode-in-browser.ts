/**
 * Images as `Pixels` in browsers, by the platform's decoder: upright, in sRGB, without premultiplied alpha. In Node there is
 * `decodeImage` of `@meanflow/data/node`.
 */
import { ArgumentError } from '@meanflow/core';
import { imageKindOf } from './image-kinds.js';
import { checkSize, MAX_IMAGE_BYTES, type Pixels } from './pixels.js';
import { UnreadableImage } from './unreadable-image.js';

/** The part of the platform that is used. */
interface Platform {
  readonly Blob: new (parts: readonly Uint8Array[]) => object;
  readonly createImageBitmap?: (
    blob: object,
    options: {
      readonly imageOrientation: string;
      readonly premultiplyAlpha: string;
      readonly colorSpaceConversion: string;
    },
  ) => Promise<Bitmap>;
  readonly OffscreenCanvas?: new (
    width: number,
    height: number,
  ) => { getContext(kind: '2d', settings: { readonly willReadFrequently: boolean }): Context | null };
}

interface Bitmap {
  readonly width: number;
  readonly height: number;
  close(): void;
}

interface Context {
  drawImage(image: Bitmap, x: number, y: number): void;
  getImageData(
    x: number,
    y: number,
    width: number,
    height: number,
  ): { readonly data: Uint8ClampedArray<ArrayBuffer> };
}

/**
 * Decodes an image file of any kind that the browser knows.
 *
 * @param source its name, for messages
 * @returns in four channels
 * @throws {UnreadableImage} when it is no image, damaged, or larger than `maxBytes`
 * @throws {ArgumentError} where there is no such decoder
 */
export async function decodeInBrowser(
  bytes: Uint8Array,
  source: string,
  maxBytes = MAX_IMAGE_BYTES,
): Promise<Pixels> {
  const { Blob, createImageBitmap, OffscreenCanvas } = globalThis as unknown as Platform;
  if (createImageBitmap === undefined || OffscreenCanvas === undefined) {
    throw new ArgumentError(
      'Images are decoded by createImageBitmap and OffscreenCanvas here, which are not there: in Node use `decodeImage` of @meanflow/data/node.',
    );
  }
  let bitmap: Bitmap;
  try {
    bitmap = await createImageBitmap(new Blob([bytes]), {
      imageOrientation: 'from-image',
      premultiplyAlpha: 'none',
      colorSpaceConversion: 'default',
    });
  } catch (error) {
    const kind = imageKindOf(bytes)?.toUpperCase() ?? 'file, which is no image that is known here,';
    throw new UnreadableImage(source, `the ${kind} cannot be decoded (${(error as Error).message})`, {
      cause: error,
    });
  }
  try {
    const { width, height } = bitmap;
    checkSize({ width, height, channels: 4, bytes: 1 }, source, maxBytes);
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    if (context === null) throw new ArgumentError('The browser gives no canvas to draw images on.');
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    return { width, height, channels: 4, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
  } finally {
    bitmap.close();
  }
}
