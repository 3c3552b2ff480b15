/**
 * JPEG images as `Pixels`: decoded by MozJPEG as WebAssembly (`@jsquash/jpeg`), whose pixels are those of libjpeg and
 * so of the codes that published image sets were made with. Its size is read from the file and held against a limit
 * first, and what the decoder warns of (a file that ends too early, damaged data) is an error here. The orientation
 * that a camera may have noted is not applied, as those codes do not.
 */
import createModule from '@jsquash/jpeg/codec/dec/mozjpeg_dec.js';
import { DataError } from '@meanflow/core';
import { readJpegHeader } from './jpeg-file.js';
import { type Pixels } from './pixels.js';

/** Decodes JPEG images. */
export interface JpegDecoder {
  /** @throws {DataError} when it is no JPEG, is of too many pixels, is cut short or damaged, or in CMYK */
  decode(bytes: Uint8Array, source: string): Pixels;
}

/** The part of the platform's WebAssembly that is used. */
interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: unknown) => { readonly exports: object };
}

type Decode = (
  bytes: Uint8Array,
  preserveOrientation: boolean,
) => { readonly width: number; readonly height: number; readonly data: Uint8ClampedArray } | null;

/** What an Emscripten module is made with, and, once it is made, the module itself. */
interface MozJpeg {
  readonly noInitialRun: boolean;
  readonly print: (line: string) => void;
  readonly printErr: (line: string) => void;
  readonly instantiateWasm: (imports: unknown, callback: (instance: object) => void) => object;
  decode?: Decode;
}

/** Its types are those of all Emscripten modules, of which it uses few. */
const initialise = createModule as (module: MozJpeg) => Promise<unknown>;

/**
 * A decoder.
 *
 * @param wasm the content of `@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm`
 */
export async function createJpegDecoder(wasm: Uint8Array): Promise<JpegDecoder> {
  const { WebAssembly } = globalThis as { readonly WebAssembly?: WebAssemblyApi };
  if (WebAssembly === undefined)
    throw new DataError('JPEG images are decoded by WebAssembly, which is not here.');
  const compiled = new WebAssembly.Module(wasm);
  let said: string[] = [];
  const say = (line: string): void => void said.push(line);
  const start = (): { readonly module: MozJpeg; readonly ready: Promise<unknown> } => {
    const module: MozJpeg = {
      noInitialRun: true,
      print: say,
      printErr: say,
      instantiateWasm: (imports, callback) => {
        const instance = new WebAssembly.Instance(compiled, imports);
        callback(instance);
        return instance.exports;
      },
    };
    return { module, ready: initialise(module) };
  };
  const first = start();
  await first.ready;
  let { module } = first;
  return {
    decode: (bytes, source) => {
      const { width, height } = readJpegHeader(bytes, source);
      said = [];
      let image: ReturnType<Decode> = null;
      try {
        // Made from a compiled module it is ready at once.
        image = module.decode!(bytes, false);
      } catch (error) {
        // A fatal error ends the decoder's program, of which the reason is what it printed. What it leaves behind in
        // its memory is not to be used again.
        if (said.length === 0) say(String((error as Error)?.message ?? error));
        ({ module } = start());
      }
      if (image === null || said.length > 0 || image.width !== width || image.height !== height) {
        const reason = said.join('; ') || 'its size is not what its header says';
        throw new DataError(`${source}: the JPEG image is damaged or cut short (${reason}).`);
      }
      return { width, height, channels: 3, data: withoutAlpha(image.data) };
    },
  };
}

/** The decoder fills a fourth channel with 255. */
function withoutAlpha(data: Uint8ClampedArray): Uint8Array {
  const rgb = new Uint8Array((data.length / 4) * 3);
  for (let from = 0, to = 0; from < data.length; from += 4) {
    rgb[to++] = data[from];
    rgb[to++] = data[from + 1];
    rgb[to++] = data[from + 2];
  }
  return rgb;
}
