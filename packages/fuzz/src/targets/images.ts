/** Images of every kind that is read, through the decoder that folders of images take. */
import { decodeImage } from '@meanflow/data/node';
import sharp, { type Sharp } from 'sharp';
import type { Seed, Target } from '../target.js';

/** Most bytes of pixels that are allowed. */
const LARGEST = 2 ** 26;

const read = (bytes: Uint8Array): Promise<unknown> => decodeImage(bytes, 'seed', LARGEST);

/** A picture of 12×10 with transparency. */
const pixels = Uint8Array.from({ length: 12 * 10 * 4 }, (_, i) => (i * 37) % 256);
const picture = (): Sharp => sharp(pixels, { raw: { width: 12, height: 10, channels: 4 } });

async function seed(name: string, of: Sharp): Promise<Seed> {
  return { name, bytes: new Uint8Array(await of.toBuffer()), read };
}

export const png: Target = {
  name: 'png',
  words: ['IHDR', 'IDAT', 'PLTE', 'tRNS', 'iCCP', 'eXIf', 'IEND', 'acTL'],
  seeds: () =>
    Promise.all([
      seed('rgba', picture().png()),
      seed('palette', picture().png({ palette: true })),
      seed('grey, interlaced', picture().greyscale().png({ progressive: true })),
      seed('16 bits', picture().toColourspace('rgb16').png()),
    ]),
};

export const jpeg: Target = {
  name: 'jpeg',
  words: ['\u00ff\u00d8', '\u00ff\u00d9', 'Exif\0\0', 'JFIF', 'ICC_PROFILE', 'Adobe'],
  seeds: () =>
    Promise.all([
      seed('baseline', picture().removeAlpha().jpeg()),
      seed('progressive', picture().removeAlpha().jpeg({ progressive: true })),
      seed('cmyk', picture().removeAlpha().toColourspace('cmyk').jpeg()),
      seed('turned', picture().removeAlpha().withMetadata({ orientation: 6 }).jpeg()),
    ]),
};

export const otherImages: Target = {
  name: 'webp, gif, tiff, bmp',
  words: ['RIFF', 'WEBP', 'VP8L', 'GIF89a', 'II*\0', 'BM'],
  seeds: async () => [
    ...(await Promise.all([
      seed('webp', picture().webp()),
      seed('webp, lossless', picture().webp({ lossless: true })),
      seed('gif', picture().gif()),
      seed('tiff', picture().tiff()),
      seed('tiff, deflated', picture().tiff({ compression: 'deflate' })),
    ])),
    { name: 'bmp', bytes: bitmap(), read },
  ],
};

/** A bitmap of 2×2 pixels of 24 bits. */
function bitmap(): Uint8Array {
  const bytes = new Uint8Array(54 + 16);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, 54, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, 2, true);
  view.setInt32(22, 2, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  bytes.fill(0x7f, 54);
  return bytes;
}
