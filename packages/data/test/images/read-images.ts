/** The images beside the tests, as `make_images.py` writes them, and a JPEG decoder. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createJpegDecoder, type JpegDecoder } from '../../src/images/jpeg.js';

interface ImagesJson {
  readonly files: Readonly<Record<string, { bytes: string; shape: number[]; pixels: string }>>;
  readonly noise: { readonly width: number; readonly height: number; readonly pixels: string };
  readonly crops: readonly { readonly side: number; readonly of: string; readonly pixels: string }[];
}

export const expected = JSON.parse(
  readFileSync(new URL('../data/images.json', import.meta.url), 'utf8'),
) as ImagesJson;

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'));
}

/** The content of one of the image files. */
export function imageFile(name: string): Uint8Array {
  return fromBase64(expected.files[name].bytes);
}

export function jpegDecoder(): Promise<JpegDecoder> {
  const path = createRequire(import.meta.url).resolve('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm');
  return createJpegDecoder(readFileSync(path));
}
