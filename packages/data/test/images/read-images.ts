/** The images beside the tests, as `make_images.py` writes them. */
import { readFileSync } from 'node:fs';
import { type ResizeFilter } from '../../src/images/resize.js';

interface ImagesJson {
  readonly files: Readonly<
    Record<string, { bytes: string; shape: number[]; pixels: string; within: number }>
  >;
  readonly noise: { readonly width: number; readonly height: number; readonly pixels: string };
  readonly crops: readonly { readonly side: number; readonly of: string; readonly pixels: string }[];
  readonly resized: readonly {
    readonly width: number;
    readonly height: number;
    readonly by: ResizeFilter;
    readonly pixels: string;
  }[];
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
