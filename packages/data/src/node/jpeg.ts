/** The JPEG decoder in Node: its WebAssembly lies in the package that it comes from. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createJpegDecoder, type JpegDecoder } from '../images/jpeg.js';

let decoder: Promise<JpegDecoder> | undefined;

/** A decoder, the same one each time. */
export function nodeJpegDecoder(): Promise<JpegDecoder> {
  decoder ??= readFile(
    createRequire(import.meta.url).resolve('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm'),
  ).then(createJpegDecoder);
  return decoder;
}
