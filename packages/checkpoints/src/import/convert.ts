/**
 * Weights from the dtype that they were published in to the one that they are to have, piece by piece. What does not fit
 * is an error and never an infinity: a number beyond float16, or one that is not finite to begin with.
 */
import { DataError } from '@meanflow/core';
import { bfloat16ToNumber, halfToNumber, LARGEST_HALF, numberToHalf } from '@meanflow/core/backend';
import type { StoredDTypeName } from '@meanflow/formats';
import { type Pieces, storedDTypes } from '@meanflow/formats/build';

/** What a model file may hold. */
export type WeightDType = 'float32' | 'float16';

/** The name of each in the file. */
export const weightNames = {
  float32: 'F32',
  float16: 'F16',
} as const satisfies Readonly<Record<WeightDType, StoredDTypeName>>;

const readers: Readonly<Partial<Record<StoredDTypeName, (view: DataView, at: number) => number>>> = {
  F64: (view, at) => view.getFloat64(at, true),
  F32: (view, at) => view.getFloat32(at, true),
  F16: (view, at) => halfToNumber(view.getUint16(at, true)),
  BF16: (view, at) => bfloat16ToNumber(view.getUint16(at, true)),
};

/** @throws {DataError} unless the elements are floats */
export function checkFloats(dtype: StoredDTypeName, what: string): void {
  if (readers[dtype] === undefined)
    throw new DataError(`${what} holds ${dtype}; weights are floats.`);
} // prettier-ignore

/**
 * The same numbers in another dtype, rounded to nearest.
 *
 * @param pieces whole elements, little-endian
 * @throws {DataError} when one is not finite, or beyond what `to` can hold
 */
export async function* convertFloats(
  pieces: Pieces,
  from: StoredDTypeName,
  to: WeightDType,
  what: string,
): AsyncGenerator<Uint8Array> {
  checkFloats(from, what);
  const read = readers[from]!;
  const width = storedDTypes[from].bytes;
  const writtenWidth = storedDTypes[weightNames[to]].bytes;
  const largest = to === 'float16' ? LARGEST_HALF : LARGEST_FLOAT;
  let element = 0;
  for await (const piece of pieces) {
    const view = new DataView(piece.buffer, piece.byteOffset, piece.length);
    const count = piece.length / width;
    const isSame = from === 'F32' && to === 'float32';
    const bytes = isSame ? piece : new Uint8Array(count * writtenWidth);
    const written = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0; i < count; i++) {
      const value = read(view, i * width);
      if (!(Math.abs(value) <= largest)) checkFits(value, to, largest, element + i, what);
      if (isSame) continue;
      if (to === 'float16') written.setUint16(2 * i, numberToHalf(value), true);
      else written.setFloat32(4 * i, value, true);
    }
    element += count;
    yield bytes;
  }
}

/** The largest finite float32. */
const LARGEST_FLOAT = (2 - 2 ** -23) * 2 ** 127;

/** Called for what is beyond the largest; half a step more still rounds to it. */
function checkFits(value: number, to: WeightDType, largest: number, element: number, what: string): void {
  if (!Number.isFinite(value))
    throw new DataError(`${what} holds ${value} at element ${element}; weights are finite.`);
  const rounded = to === 'float16' ? halfToNumber(numberToHalf(value)) : Math.fround(value);
  if (Number.isFinite(rounded)) return;
  const advice = to === 'float16' ? ' Keep this model in float32.' : '';
  throw new DataError(
    `${what} holds ${value} at element ${element}, beyond ${to}, whose largest is ${largest}.${advice}`,
  );
}
