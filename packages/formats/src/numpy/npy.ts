/**
 * Arrays as NumPy writes them (NEP 1: `.npy`, versions 1 to 3): a magic string, a header that is a Python dictionary of
 * dtype, order and shape, then the elements. Object arrays, which are pickles, are refused.
 */
import { DataError, sizeOf, type Shape } from '@meanflow/core';
import { storedDTypes, type StoredDTypeName } from '../dtypes.js';
import { collect, swapped, wholeElements, type Pieces } from '../access/pieces.js';
import { columnMajorStrides, gather } from '../access/strided.js';
import { byteLength, checkShape, describeTensor, type StoredTensor } from '../catalogue.js';
import { numpyDType } from './dtypes.js';

interface NpyHeader {
  readonly dtype: StoredDTypeName;
  readonly isBigEndian: boolean;
  readonly isColumnMajor: boolean;
  readonly shape: Shape;
  /** Bytes before the elements. */
  readonly begin: number;
}

/** Longer ones than NumPy itself reads. */
const LONGEST_HEADER = 1 << 16;

/**
 * A tensor from an `.npy` file or an entry of an `.npz`.
 *
 * @param size bytes in the whole file
 * @param beginning the first bytes, at least as many as the header has; fewer only where the file has fewer
 * @param content the whole file, from its beginning, each time anew
 * @throws {DataError} when it is damaged, or its elements are not numbers
 */
export function npyTensor(
  name: string,
  size: number,
  beginning: Uint8Array,
  content: () => Pieces,
  source: string,
): StoredTensor {
  const header = readHeader(beginning, source);
  const { dtype, shape, begin, isBigEndian, isColumnMajor } = header;
  const elementBytes = storedDTypes[dtype].bytes;
  const bytes = byteLength({ dtype, shape });
  const given = size - begin;
  if (given !== bytes) {
    throw new DataError(
      `${source}: an array ${describeTensor(header)} takes ${bytes} bytes, found ${given}: ` +
        `the file is ${given < bytes ? 'cut short' : 'longer than it says'}.`,
    );
  }
  return {
    name,
    dtype,
    shape,
    pieces: async function* () {
      const elements = wholeElements(skip(content(), begin), elementBytes, bytes, source);
      const little = isBigEndian ? swapped(elements, elementBytes) : elements;
      if (!isColumnMajor) yield* little;
      else {
        const all = await collect(little, bytes, source);
        yield* gather(all, elementBytes, { shape, strides: columnMajorStrides(shape), offset: 0 });
      }
    },
  };
}

/** How many bytes to give to `npyTensor` as the beginning. */
export const NPY_BEGINNING = LONGEST_HEADER + 12;

function readHeader(bytes: Uint8Array, source: string): NpyHeader {
  const fail = (problem: string): never => {
    throw new DataError(`${source} is not an intact .npy array: ${problem}.`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || bytes[0] !== 0x93 || text(bytes.subarray(1, 6)) !== 'NUMPY') {
    fail('it does not begin with the magic of NumPy');
  }
  const major = bytes[6]!;
  if (major < 1 || major > 3) fail(`its version is ${major}, expected 1 to 3`);
  const at = major === 1 ? 10 : 12;
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > LONGEST_HEADER || at + length > bytes.length) fail(`its header has ${length} bytes`);
  const header = text(bytes.subarray(at, at + length));
  const field = (pattern: RegExp, what: string): string =>
    pattern.exec(header)?.[1] ?? fail(`its header gives no ${what}: ${JSON.stringify(header.slice(0, 80))}`);
  const descr = field(/'descr':\s*('[^']*'|\[)/, 'dtype');
  if (descr === '[') fail('its header gives no plain dtype: its elements are records');
  const order = field(/'fortran_order':\s*(True|False)/, 'order');
  const sizes = field(/'shape':\s*\(([\d,\sL]*)\)/, 'shape');
  const shape = sizes.split(',').map((size) => size.trim()).filter((size) => size !== '').map((size) => Number(size.replace(/L$/, ''))); // prettier-ignore
  checkShape(shape, source);
  const { dtype, isBigEndian } = numpyDType(descr.slice(1, -1), source);
  const isColumnMajor = order === 'True' && shape.length > 1 && sizeOf(shape) > 0;
  return { dtype, isBigEndian, isColumnMajor, shape, begin: at + length };
}

/** What follows the first bytes. */
async function* skip(pieces: Pieces, count: number): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const piece of pieces) {
    const skipped = Math.min(left, piece.length);
    left -= skipped;
    if (piece.length > skipped) yield piece.subarray(skipped);
  }
}

function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
