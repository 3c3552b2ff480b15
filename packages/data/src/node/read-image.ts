/** One file of an image folder as the pixels that a row has: read, decoded, laid on white, cropped and resized. */
import { readFile } from 'node:fs/promises';
import { type ImageShape } from '../images/layout.js';
import { withChannels, type Pixels } from '../images/pixels.js';
import { centreCrop } from '../images/resize.js';
import { UnreadableImage } from '../images/unreadable-image.js';
import { fileErrorReason } from './read-file.js';
import { decodeImage } from './sharp.js';

/** What a file becomes. */
export interface ReadImageOptions {
  readonly imageShape: ImageShape;
  /** Whether files are cropped and resized to that; otherwise they are of it already. */
  readonly isCropped: boolean;
  /** Most bytes that the pixels of a file may take. */
  readonly maxImageBytes: number;
}

/** What helps against a file that cannot be read. */
const ADVICE =
  'Mend or remove it, or pass over all such files with a list of them: skipDamaged, on the command line --skip-damaged.';

/**
 * Reads and decodes one file.
 *
 * @returns `[height, width, channels]`
 * @throws {DataError} naming it when that cannot be done, or it is of another size
 */
export async function readImage(path: string, options: ReadImageOptions): Promise<Uint8Array> {
  const { imageShape, isCropped, maxImageBytes } = options;
  const [height, width, channels] = imageShape;
  const decoded = withChannels(await decodeFile(path, maxImageBytes).catch(advise), channels === 1 ? 1 : 3);
  const image = isCropped ? centreCrop(decoded, height) : decoded;
  if (image.width !== width || image.height !== height) {
    throw new UnreadableImage(
      path,
      `found an image of ${image.width} by ${image.height} pixels, expected ${width} by ${height} as the others`,
    );
  }
  return image.data;
}

/** Decodes a file, as it is. @throws {UnreadableImage} as `decodeImage`, and when it cannot be read */
export async function decodeFile(path: string, maxImageBytes: number): Promise<Pixels> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new UnreadableImage(path, fileErrorReason(error, 'an image'), { cause: error });
  });
  return decodeImage(bytes, path, maxImageBytes);
}

/** An image that cannot be read, with what to do about it. */
export function advise(error: unknown): never {
  if (!(error instanceof UnreadableImage)) throw error;
  throw new UnreadableImage(error.file, `${error.reason}. ${ADVICE.slice(0, -1)}`, { cause: error });
}
