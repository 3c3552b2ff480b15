/**
 * BMP images, which libvips does not read ("Windows bitmap": the file header, BITMAPCOREHEADER or BITMAPINFOHEADER and its
 * successors, a palette, rows of a multiple of four bytes from the bottom up): uncompressed of 1 to 32 bits, with masks or
 * without.
 */
import { checkSize, type Pixels } from './pixels.js';
import { UnreadableImage } from './unreadable-image.js';

const FILE_HEADER = 14;
const CORE_HEADER = 12;
const [PLAIN, MASKED, MASKED_WITH_ALPHA] = [0, 3, 6];
/** Red, green, blue and alpha of 16 and 32 bits that say no masks. */
const usualMasks: Readonly<Record<number, readonly number[]>> = {
  16: [0x7c00, 0x03e0, 0x001f, 0],
  32: [0xff0000, 0xff00, 0xff, 0],
};

interface BmpHeader {
  readonly width: number;
  readonly height: number;
  readonly isTopDown: boolean;
  /** Of a pixel. */
  readonly bits: number;
  readonly pixelsAt: number;
  readonly paletteAt: number;
  /** 3 in the old form, 4 in the others. */
  readonly paletteEntryBytes: number;
  readonly masks: readonly number[] | undefined;
}

/**
 * The size of a BMP image.
 *
 * @param bytes at least its first 70
 * @throws {UnreadableImage} when its header is damaged, of a kind that is not read, or larger than allowed
 */
export function bmpSize(
  bytes: Uint8Array,
  source: string,
  maxBytes: number,
): { readonly width: number; readonly height: number } {
  const { width, height } = readHeader(bytes, source, maxBytes);
  return { width, height };
}

/** Decodes a BMP image into three channels, or four. @throws {UnreadableImage} as `bmpSize`, and when it is cut short */
export function decodeBmp(bytes: Uint8Array, source: string, maxBytes: number): Pixels {
  const header = readHeader(bytes, source, maxBytes);
  const { width, height, isTopDown, bits, pixelsAt } = header;
  const stride = 4 * Math.ceil((width * bits) / 32);
  if (pixelsAt + stride * height > bytes.length + 3) throw damaged(source, 'it is cut short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const colourAt = colourReader(view, header, source);
  const channels = header.masks !== undefined && header.masks[3] !== 0 ? 4 : 3;
  const data = new Uint8Array(width * height * channels);
  const colour = [0, 0, 0, 255];
  for (let y = 0, to = 0; y < height; y++) {
    const row = pixelsAt + stride * (isTopDown ? y : height - 1 - y);
    for (let x = 0; x < width; x++) {
      colourAt(row, x, colour);
      for (let channel = 0; channel < channels; channel++) data[to++] = colour[channel]!;
    }
  }
  return { width, height, channels, data };
}

function readHeader(bytes: Uint8Array, source: string, maxBytes: number): BmpHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < FILE_HEADER + CORE_HEADER) throw damaged(source, 'it is cut short within its header');
  const size = view.getUint32(FILE_HEADER, true);
  const isCore = size === CORE_HEADER;
  if (!isCore && (size < 40 || bytes.length < FILE_HEADER + 40)) throw damaged(source, 'its header is none');
  const width = isCore ? view.getUint16(18, true) : view.getInt32(18, true);
  const signedHeight = isCore ? view.getUint16(20, true) : view.getInt32(22, true);
  const bits = view.getUint16(isCore ? 24 : 28, true);
  const compression = isCore ? PLAIN : view.getUint32(30, true);
  const height = Math.abs(signedHeight);
  checkSize({ width, height, channels: 4, bytes: 1 }, source, maxBytes);
  const hasMasks = compression === MASKED || compression === MASKED_WITH_ALPHA;
  if (![1, 4, 8, 16, 24, 32].includes(bits) || !(compression === PLAIN || (hasMasks && bits in usualMasks))) {
    throw new UnreadableImage(
      source,
      `found a BMP image of ${bits} bits with compression ${compression}, which is not read: save it as PNG`,
    );
  }
  const masks = hasMasks ? masksOf(view, size, source) : usualMasks[bits];
  const ownMasks = hasMasks && size === 40 ? (compression === MASKED ? 12 : 16) : 0;
  return {
    width,
    height,
    isTopDown: signedHeight < 0,
    bits,
    pixelsAt: view.getUint32(10, true),
    paletteAt: FILE_HEADER + size + ownMasks,
    paletteEntryBytes: isCore ? 3 : 4,
    masks,
  };
}

/** They follow the header of 40 bytes, and lie within a longer one; alpha is there in those of 56 bytes and more. */
function masksOf(view: DataView, size: number, source: string): readonly number[] {
  const at = FILE_HEADER + 40;
  const hasAlpha = size >= 56;
  if (view.byteLength < at + 16) throw damaged(source, 'it is cut short within its header');
  return [0, 4, 8, 12].map((next) => (next === 12 && !hasAlpha ? 0 : view.getUint32(at + next, true)));
}

type ColourReader = (row: number, x: number, colour: number[]) => void;

function colourReader(view: DataView, header: BmpHeader, source: string): ColourReader {
  const { bits, masks, pixelsAt, paletteAt, paletteEntryBytes } = header;
  // The last row may lack the bytes that fill it up.
  const byteAt = (at: number): number => (at < view.byteLength ? view.getUint8(at) : 0);
  if (bits === 24) {
    return (row, x, colour) => {
      for (let channel = 0; channel < 3; channel++) colour[channel] = byteAt(row + 3 * x + 2 - channel);
    };
  }
  if (masks !== undefined) {
    const width = bits / 8;
    const fields = masks.map(fieldOf);
    return (row, x, colour) => {
      let value = 0;
      for (let i = width - 1; i >= 0; i--) value = value * 256 + byteAt(row + width * x + i);
      fields.forEach(({ shift, most }, channel) => {
        colour[channel] = most === 0 ? 255 : Math.round((((value / shift) & most) * 255) / most);
      });
    };
  }
  const entries = Math.min(1 << bits, Math.floor((pixelsAt - paletteAt) / paletteEntryBytes));
  const perByte = 8 / bits;
  return (row, x, colour) => {
    const index =
      (byteAt(row + Math.floor(x / perByte)) >> (8 - bits * ((x % perByte) + 1))) & ((1 << bits) - 1);
    if (index >= entries) throw damaged(source, `it uses the colour ${index} of a palette of ${entries}`);
    for (let channel = 0; channel < 3; channel++) {
      colour[channel] = byteAt(paletteAt + paletteEntryBytes * index + 2 - channel);
    }
  };
}

/** A mask as what to divide by and what may remain. */
function fieldOf(mask: number): { readonly shift: number; readonly most: number } {
  let shift = 1;
  let most = mask;
  while (most !== 0 && most % 2 === 0) {
    most /= 2;
    shift *= 2;
  }
  return { shift, most };
}

function damaged(source: string, reason: string): UnreadableImage {
  return new UnreadableImage(source, `the BMP image is damaged (${reason})`);
}
