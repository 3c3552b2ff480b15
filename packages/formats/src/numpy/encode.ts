/**
 * Writing NumPy's npy (NEP 1, version 1.0) and npz: a zip archive of npy files, stored or deflated. The same arrays give
 * the same bytes.
 */
import { ArgumentError, type HostArray, type HostDType, type Shape } from '@meanflow/core';
import { zipSync, type Zippable } from 'fflate';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** The elements begin at a multiple of this. */
const ALIGNMENT = 64;

/** Numbers from 0 to 255, which no array of the host's has: pixels. */
export interface ByteArray {
  readonly dtype: 'uint8';
  readonly shape: Shape;
  readonly data: Uint8Array;
}

/** What NumPy calls each of our dtypes; the bytes are little-endian. */
const writtenNames: Readonly<Record<HostDType | 'uint8', string>> = {
  uint8: '|u1',
  float64: '<f8',
  float32: '<f4',
  int32: '<i4',
  bool: '|b1',
};

/** The bytes of an array as an npy file of version 1.0. */
export function encodeNpy({ dtype, shape, data }: HostArray | ByteArray): Uint8Array {
  const dimensions = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dictionary = `{'descr': '${writtenNames[dtype]}', 'fortran_order': False, 'shape': (${dimensions}), }`;
  const start = Math.ceil((MAGIC.length + 4 + dictionary.length + 1) / ALIGNMENT) * ALIGNMENT;
  const width = data.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(start + data.byteLength);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  bytes.set([1, 0], MAGIC.length);
  view.setUint16(MAGIC.length + 2, start - MAGIC.length - 4, true);
  const header = `${dictionary.padEnd(start - MAGIC.length - 5)}\n`;
  bytes.set(new TextEncoder().encode(header), MAGIC.length + 4);
  const writers = {
    float64: (at: number, value: number) => view.setFloat64(at, value, true),
    float32: (at: number, value: number) => view.setFloat32(at, value, true),
    int32: (at: number, value: number) => view.setInt32(at, value, true),
    bool: (at: number, value: number) => view.setUint8(at, value),
    uint8: (at: number, value: number) => view.setUint8(at, value),
  };
  for (let i = 0; i < data.length; i++) writers[dtype](start + i * width, data[i]!);
  return bytes;
}

/**
 * An archive of arrays, which NumPy's `load` reads; the same arrays give the same bytes.
 *
 * @param options.compress deflate the arrays, as `savez_compressed` does; off by default
 * @throws {ArgumentError} when a name is empty
 */
export function encodeNpz(
  arrays: Readonly<Record<string, HostArray | ByteArray>>,
  options: { readonly compress?: boolean } = {},
): Uint8Array {
  const level = options.compress ? 6 : 0;
  const files: Zippable = {};
  for (const name of Object.keys(arrays).sort()) {
    if (name === '') throw new ArgumentError('An array of an npz archive needs a name.');
    // Without a time of its own the archive would carry the hour at which it was written.
    files[`${name}.npy`] = [encodeNpy(arrays[name]!), { level, mtime: new Date(1980, 0, 1) }];
  }
  return zipSync(files);
}
