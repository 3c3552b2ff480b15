/**
 * The files of an image folder as rows of pixels: read, decoded and cropped when they are asked for. Decoded images are
 * kept up to a number of bytes, the longest unused going first; images that will be asked for soon are decoded by a
 * thread of their own meanwhile. Neither changes what is read, only when.
 */
import { readFileSync } from 'node:fs';
import { DataError } from '@meanflow/core';
import { decodeImage } from '../images/decode-image.js';
import { type ImageRows } from '../images/image-rows.js';
import { type JpegDecoder } from '../images/jpeg.js';
import { type ImageShape } from '../images/layout.js';
import { withChannels } from '../images/pixels.js';
import { centreCrop } from '../images/resize.js';
import { describeFileError } from './read-file.js';
import { type ImageListing } from './image-folder.js';
import { ReadAhead } from './read-ahead.js';

/** What the images of a folder become. */
export interface FolderImageOptions {
  readonly imageShape: ImageShape;
  /** Whether files are cropped and resized to that; otherwise they are of it already. */
  readonly isCropped: boolean;
  /** Most bytes of decoded images that are kept. */
  readonly cacheBytes: number;
  /** Whether images are decoded ahead, in a thread. */
  readonly readAhead: boolean;
}

/** Reads and decodes one file. @throws {DataError} naming it when that cannot be done, or it is of another size */
export function readImage(
  path: string,
  { imageShape: [height, width, channels], isCropped }: Pick<FolderImageOptions, 'imageShape' | 'isCropped'>,
  jpeg: JpegDecoder,
): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw describeFileError(path, error, 'an image');
  }
  const decoded = decodeImage(bytes, path, jpeg);
  const image = isCropped ? centreCrop(decoded, height) : decoded;
  if (image.width !== width || image.height !== height) {
    throw new DataError(
      `${path}: found an image of ${image.width} by ${image.height} pixels, expected ${width} by ${height} as the others.`,
    );
  }
  return withChannels(image, channels === 1 ? 1 : 3).data;
}

/** The rows of a listing. */
export function folderImages(
  { files, labels, classNames }: ImageListing,
  options: FolderImageOptions,
  jpeg: JpegDecoder,
): ImageRows {
  const { imageShape, cacheBytes } = options;
  const capacity = Math.floor(cacheBytes / (imageShape[0] * imageShape[1] * imageShape[2]));
  const kept = new Map<number, Uint8Array>();
  const keep = (row: number, pixels: Uint8Array): void => {
    if (capacity < 1) return;
    if (kept.size >= capacity) kept.delete(kept.keys().next().value!);
    kept.set(row, pixels);
  };
  // Its thread starts when there is something to do.
  let ahead: ReadAhead | undefined;
  return {
    imageShape,
    count: files.length,
    labels,
    classNames,
    read: (row) => {
      const known = kept.get(row);
      if (known !== undefined) {
        kept.delete(row);
        kept.set(row, known);
        return known;
      }
      // What could not be decoded ahead is decoded here, where its error belongs.
      const pixels = ahead?.take(row) ?? readImage(files[row], options, jpeg);
      keep(row, pixels);
      return pixels;
    },
    readAhead: (rows) => {
      if (!options.readAhead || capacity < 1) return;
      ahead ??= new ReadAhead(files, options);
      ahead.request([...rows].filter((row) => !kept.has(row)).slice(0, capacity));
    },
  };
}
