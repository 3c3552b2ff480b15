/**
 * The npy format (NumPy, "NEP 1: a simple file format for NumPy arrays"): a magic string, a version, a header in the
 * form of a Python dictionary with dtype, order and shape, then the elements. The header is matched, never evaluated, and
 * the number of elements is held against the bytes that are there before anything is allocated.
 */
import { DataError, formatShape, hostZeros, sizeOf, type HostArray, type Shape } from '@meanflow/core';
import { findDType, writtenNames } from './npy-dtypes.js';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** The elements begin at a multiple of this. */
const ALIGNMENT = 64;
/** A header is a line; NumPy itself refuses more than this. */
const MAX_HEADER = 10_000;

interface NpyHeader {
  readonly descr: string;
  readonly isColumnMajor: boolean;
  readonly shape: Shape;
  /** Where the elements begin. */
  readonly dataStart: number;
}

/**
 * Reads an array. Half precision becomes float32, integers of any width int32.
 *
 * @param bytes the whole file
 * @param source the file's name, for messages
 * @throws {DataError} when it is no npy file, is cut short or too long for its shape, or holds objects, complex numbers,
 *   or an integer that does not fit into int32
 */
export function decodeNpy(bytes: Uint8Array, source: string): HostArray {
  const { descr, isColumnMajor, shape, dataStart } = readHeader(bytes, source);
  const { dtype, bytes: width, read, isLittleEndian } = findDType(descr, source);
  const count = sizeOf(shape);
  const given = bytes.length - dataStart;
  if (!Number.isSafeInteger(count) || given !== count * width) {
    throw new DataError(
      `${source}: an array ${formatShape(shape)} of ${descr} takes ${count * width} bytes, found ${given}: ` +
        `the file is ${given < count * width ? 'cut short' : 'longer than it says'}.`,
    );
  }
  const array = hostZeros(shape, dtype);
  const view = new DataView(bytes.buffer, bytes.byteOffset + dataStart, given);
  for (let i = 0; i < count; i++) {
    const value = read(view, i * width, isLittleEndian);
    array.data[i] = value;
    if (dtype === 'int32' && array.data[i] !== value) {
      throw new DataError(`${source}: found the integer ${value}, which does not fit into int32.`);
    }
  }
  return isColumnMajor && shape.length > 1 ? toRowMajor(array) : array;
}

/** The bytes of an array as an npy file of version 1.0. */
export function encodeNpy({ dtype, shape, data }: HostArray): Uint8Array {
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
  };
  for (let i = 0; i < data.length; i++) writers[dtype](start + i * width, data[i]);
  return bytes;
}

function readHeader(bytes: Uint8Array, source: string): NpyHeader {
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) {
    throw new DataError(`${source}: it does not begin as an npy file does, with \\x93NUMPY.`);
  }
  const major = bytes[6];
  if (major < 1 || major > 3 || bytes.length < 12) {
    throw new DataError(
      `${source}: found an npy file of version ${major}, or its beginning, expected 1, 2 or 3.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [length, start] = major === 1 ? [view.getUint16(8, true), 10] : [view.getUint32(8, true), 12];
  if (length > MAX_HEADER || start + length > bytes.length) {
    throw new DataError(
      `${source}: the header says it has ${length} bytes; the file has ${bytes.length}, and a header at most ${MAX_HEADER}.`,
    );
  }
  const text = new TextDecoder().decode(bytes.subarray(start, start + length));
  const field = (name: string, value: string): string | undefined =>
    new RegExp(`'${name}'\\s*:\\s*${value}`).exec(text)?.[1];
  const descr = field('descr', `'([^']*)'`);
  const order = field('fortran_order', '(True|False)');
  const shape = field('shape', '\\(([\\d,\\s]*)\\)');
  if (descr === undefined || order === undefined || shape === undefined) {
    throw new DataError(
      `${source}: the header is ${JSON.stringify(text.trim().slice(0, 200))}, expected a dtype of numbers, an order and a shape.`,
    );
  }
  const dimensions = shape
    .split(',')
    .map((dimension) => dimension.trim())
    .filter((dimension) => dimension !== '')
    .map(Number);
  if (!dimensions.every(Number.isSafeInteger)) {
    throw new DataError(`${source}: the header's shape is (${shape}), expected whole numbers.`);
  }
  return { descr, isColumnMajor: order === 'True', shape: dimensions, dataStart: start + length };
}

/** Elements that lie with the first axis fastest, put into row-major order. */
function toRowMajor(array: HostArray): HostArray {
  const { shape, dtype } = array;
  const ordered = hostZeros(shape, dtype);
  const index = new Array<number>(shape.length).fill(0);
  for (let to = 0; to < ordered.size; to++) {
    let from = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) from = from * shape[axis] + index[axis];
    ordered.data[to] = array.data[from];
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return ordered;
}
