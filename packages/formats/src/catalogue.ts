/**
 * What every reader gives: the tensors of a checkpoint by name, whose elements are read only when they are asked for,
 * and the plain values beside them (a step, a learning rate, arguments). Names are the keys of the containers a tensor
 * lies in, joined by `/`: `ema_params/net/blocks/layers_0/attn/qkv/_flax_linear/kernel`, `model/net.map_layer0.weight`.
 */
import { DataError, HostArray, sizeOf, type Shape } from '@meanflow/core';
import { formatShape, quoted } from '@meanflow/core/validation';
import { allocated } from './access/random-access.js';
import type { Pieces } from './access/pieces.js';
import {
  checkElements,
  decodeElements,
  hostDataType,
  isReadAsItIs,
  storedDTypes,
  type StoredDTypeName,
} from './dtypes.js';

/** A tensor that is yet to be read. */
export interface StoredTensor {
  readonly name: string;
  /** As safetensors names it, such as `F32` or `BF16`. */
  readonly dtype: StoredDTypeName;
  readonly shape: Shape;
  /** The file or the folder that it is in, for messages. */
  readonly source?: string;
  /**
   * The elements in row-major order, little-endian, in pieces of whole elements. Where there is a checksum, it is checked
   * when the last piece was taken.
   *
   * @throws {DataError} when they are not all there, or their checksum does not match
   */
  pieces(): Pieces;
  /** Puts the same bytes into an array of exactly their length, where they lie in one range; throws as `pieces`. */
  readInto?(target: Uint8Array): Promise<void>;
}

/** A value that is not a tensor. */
export interface PlainValue {
  readonly name: string;
  readonly value: null | boolean | number | bigint | string;
}

/** Something that was seen, and is neither read nor run. */
export interface PassedOver {
  readonly name: string;
  /** What it is, such as the class of an object; as the file writes it. */
  readonly what: string;
}

export interface Catalogue {
  /** The format that was read, for people. */
  readonly format: string;
  /** What was read, for messages. */
  readonly source: string;
  readonly tensors: readonly StoredTensor[];
  readonly values: readonly PlainValue[];
  /** Objects of unknown classes, and tensors whose elements cannot be read; none in most formats. */
  readonly passedOver?: readonly PassedOver[];
}

/** Bytes of a tensor's elements. */
export function byteLength({ dtype, shape }: Pick<StoredTensor, 'dtype' | 'shape'>): number {
  return sizeOf(shape) * storedDTypes[dtype].bytes;
}

/** `float16`-like name with shape, for messages: `F16[2, 3]`. */
export function describeTensor({ dtype, shape }: Pick<StoredTensor, 'dtype' | 'shape'>): string {
  return `${dtype}${formatShape(shape)}`;
}

/** A tensor as messages name it: by its file and its name. */
export function nameOfTensor({ name, source }: Pick<StoredTensor, 'name' | 'source'>): string {
  return source === undefined ? `Tensor ${quoted(name)}` : `${source}: tensor ${quoted(name)}`;
}

/**
 * A whole tensor, in memory once. F16 and BF16 become float32, integers int32. Check the shape before: this allocates it.
 *
 * @throws {DataError} when its file is damaged, an integer does not fit into int32, or it is larger than an array can be
 */
export async function readTensor(tensor: StoredTensor): Promise<HostArray> {
  const { dtype, shape } = tensor;
  const { bytes: width, hostDType } = storedDTypes[dtype];
  const count = sizeOf(shape);
  const what = nameOfTensor(tensor);
  const elements = allocated(hostDataType(dtype), count, what);
  if (isReadAsItIs(dtype) && tensor.readInto !== undefined) {
    await tensor.readInto(new Uint8Array(elements.buffer));
    checkElements(dtype, elements, 0, count, what);
    return new HostArray(hostDType, shape, elements);
  }
  let done = 0;
  for await (const piece of tensor.pieces()) {
    const next = done + piece.length / width;
    if (next > count) throw new DataError(`${what} holds more than the ${count} elements of its shape.`);
    decodeElements(dtype, piece, elements, done, what);
    done = next;
  }
  if (done < count) throw new DataError(`${what} holds ${done} elements, expected ${count}.`);
  return new HostArray(hostDType, shape, elements);
}

/** How many tensors and values a checkpoint may hold: several times what the largest published ones do. */
const MOST_ENTRIES = 200_000;
/** A name of that many characters leads through a hundred containers. One long key can stand in the names of many tensors. */
const LONGEST_NAME = 4096;

/**
 * Checks a catalogue that a reader made.
 *
 * @throws {DataError} when it has two tensors of one name, a name or a shape that is none, or more entries than any checkpoint
 */
export function checkedCatalogue(catalogue: Catalogue): Catalogue {
  const { source, tensors, values } = catalogue;
  if (tensors.length + values.length > MOST_ENTRIES) {
    throw new DataError(
      `${source} holds more than ${MOST_ENTRIES} tensors and values: it is no checkpoint of a model.`,
    );
  }
  const names = new Set<string>();
  for (const { name, shape } of tensors) {
    if (name.length > LONGEST_NAME)
      throw new DataError(
        `${source} holds a tensor whose name has ${name.length} characters: it is no checkpoint of a model.`,
      );
    if (names.has(name)) throw new DataError(`${source} holds two tensors "${name}".`);
    names.add(name);
    checkShape(shape, `${source}: tensor "${name}"`);
  }
  return catalogue;
}

/** @throws {DataError} unless a shape is a list of counts whose product is a whole number that numbers can hold */
export function checkShape(shape: unknown, what: string): asserts shape is Shape {
  const isShape =
    Array.isArray(shape) &&
    shape.length <= 32 &&
    shape.every((size) => Number.isSafeInteger(size) && size >= 0) &&
    Number.isSafeInteger(8 * shape.reduce((product: number, size: number) => product * Math.max(size, 1), 1));
  const text = Array.isArray(shape) ? `[${shape.map(String).join(', ')}]` : String(shape);
  if (!isShape) throw new DataError(`${what} has the shape ${text}.`);
}
