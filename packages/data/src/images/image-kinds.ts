/**
 * What an image file is, by how it begins, whatever it is called. Decoders are given only what is recognised here, so that
 * neither drawings (SVG) nor documents reach one by accident, and what is something else is called by its name.
 */
import { quoted } from '@meanflow/core/validation';
import { standInOf } from '../stand-ins.js';

/** Kinds of images that are read. */
export type ImageKind = 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif' | 'bmp';

/** What `imageKindOf` and `describeContent` look at. */
export const SIGNATURE_BYTES = 64;

/** Endings of files that are taken for images, of a kind that is read or not. */
const imageEndings =
  /\.(jpe?g|jpe|jfif|png|apng|webp|gif|tiff?|avif|bmp|dib|hei[cf]|svgz?|jp2|jpx|j2k|jxl|psd|ico|tga|p[bgpn]m|exr|hdr|dng|cr2|nef|arw)$/i;

/** Whether a file's name says that it is an image. */
export function isNamedAsImage(name: string): boolean {
  return imageEndings.test(name);
}

/** The kind of an image; undefined where it is none that is read. @param bytes the file's beginning */
export function imageKindOf(bytes: Uint8Array): ImageKind | undefined {
  const text = latin1(bytes);
  if (text.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (text.startsWith('GIF87a') || text.startsWith('GIF89a')) return 'gif';
  if (text.startsWith('RIFF') && text.startsWith('WEBP', 8)) return 'webp';
  if (/^(II[*+]\0|MM\0[*+])/.test(text)) return 'tiff';
  // The size of the header after the file's own: of the old form, or of one of Windows's.
  if (text.startsWith('BM') && [12, 16, 40, 52, 56, 64, 108, 124].includes(bytes[14]!)) return 'bmp';
  if (text.startsWith('ftyp', 4) && /avi[fs]/.test(text.slice(8))) return 'avif';
  return undefined;
}

/** What a file that is no image seems to be, as the end of a sentence. @param bytes the file's beginning */
export function describeContent(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'the file is empty';
  const standIn = standInOf(bytes);
  if (standIn !== undefined) return `found ${standIn}`;
  const text = latin1(bytes);
  const known = contents.find(([begins]) =>
    typeof begins === 'string' ? text.startsWith(begins) : begins.test(text),
  );
  if (known !== undefined) return `found ${known[1]}`;
  const begin = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `found a file that begins with ${begin}${isText(bytes) ? ` (${quoted(text.slice(0, 8))})` : ''}`;
}

/** What an image file is expected to be. */
export const EXPECTED_IMAGE = 'a JPEG, PNG, WebP, GIF, TIFF, AVIF or BMP image';

/** How other files begin. */
const contents: readonly (readonly [begins: RegExp | string, what: string])[] = [
  [/^\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<svg/is, 'an SVG drawing'],
  [/^....ftyp(hei|hev|mif1|msf1)/s, 'a HEIC image, as phones save them'],
  ['\xff\x0a', 'a JPEG XL image'],
  ['\0\0\0\x0cJXL ', 'a JPEG XL image'],
  ['\0\0\0\x0cjP  ', 'a JPEG 2000 image'],
  ['\xff\x4f\xff\x51', 'a JPEG 2000 image'],
  ['8BPS', 'a Photoshop file'],
  ['%PDF', 'a PDF document'],
  ['PK\x03\x04', 'a zip archive'],
  ['\x1f\x8b', 'gzip data'],
];

function isText(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127));
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, SIGNATURE_BYTES));
}
