/**
 * Flax's serialization (`flax.serialization.to_bytes`): msgpack maps whose arrays are extension 1, holding (shape, dtype,
 * bytes) as msgpack, NumPy scalars extension 3 in the same way, and arrays beyond a gigabyte in chunks. The file
 * `checkpoint_<step>` of `flax.training.checkpoints` is one, and so is `checkpoint` in a folder of Orbax, which may
 * leave a text in place of an array that lies beside it.
 */
import { DataError, sizeOf } from '@meanflow/core';
import {
  byteLength,
  type PlainValue,
  type RandomAccess,
  type StoredDTypeName,
  type StoredTensor,
} from '@meanflow/formats';
import { numpyDType, section, storedDTypes, checkShape, piecesOf } from '@meanflow/formats/build';
import { BinaryPlace, ExtensionPlace, scanMsgpack, type MsgpackMap, type MsgpackValue } from './scan.js';

const ARRAY = 1;
const SCALAR = 3;
const CHUNKED = '__msgpack_chunked_array__';
/** What Orbax, and flax before it, leave in place of an array that is written to a folder of its own. */
const PLACEHOLDER = /^(?:PLACEHOLDER:\/\/|\/\/GDAPlaceholder:)(.*)$/;

/** An array that lies elsewhere. */
export interface Placeholder {
  /** Name of the tensor. */
  readonly name: string;
  /** What the array is called where it lies. */
  readonly refersTo: string;
}

export interface FlaxTree {
  readonly tensors: StoredTensor[];
  readonly values: PlainValue[];
  readonly placeholders: Placeholder[];
}

/** @throws {DataError} when the file is damaged */
export async function readFlax(access: RandomAccess): Promise<FlaxTree> {
  const tree: FlaxTree = { tensors: [], values: [], placeholders: [] };
  const walk = async (value: MsgpackValue, name: string): Promise<void> => {
    const join = (key: string | number): string => (name === '' ? String(key) : `${name}/${key}`);
    if (value instanceof ExtensionPlace) {
      tree.tensors.push(await arrayOf(access, value, name));
    } else if (value instanceof BinaryPlace) {
      tree.values.push({ name, value: `${value.length} bytes` });
    } else if (value instanceof Map) {
      if (value.has(CHUNKED)) tree.tensors.push(await chunkedArrayOf(access, value, name));
      else for (const [key, child] of value) await walk(child, join(key));
    } else if (Array.isArray(value)) {
      for (const [index, child] of value.entries()) await walk(child, join(index));
    } else if (typeof value === 'string' && PLACEHOLDER.test(value)) {
      tree.placeholders.push({ name, refersTo: PLACEHOLDER.exec(value)![1]! });
    } else {
      tree.values.push({ name, value: value as PlainValue['value'] });
    }
  };
  const root = await scanMsgpack(access);
  if (!(root instanceof Map)) throw new DataError(`${access.source} is not a checkpoint of flax: it is no map of names.`); // prettier-ignore
  await walk(root, '');
  return tree;
}

async function arrayOf(access: RandomAccess, place: ExtensionPlace, name: string): Promise<StoredTensor> {
  if (place.type !== ARRAY && place.type !== SCALAR) {
    throw new DataError(
      `${access.source}: "${name}" is an extension of type ${place.type}; arrays (1) and scalars (3) can be read.`,
    );
  }
  const value = await scanMsgpack(access, place.begin, place.begin + place.length);
  const [shape, dtypeName, data] = Array.isArray(value) ? (value as readonly MsgpackValue[]) : [];
  const what = `${access.source}: "${name}"`;
  checkShape(shape, what);
  if (typeof dtypeName !== 'string' || !(data instanceof BinaryPlace)) {
    throw new DataError(`${what} is not an array of shape, dtype and bytes.`);
  }
  const { dtype } = numpyDType(dtypeName, what);
  const bytes = byteLength({ dtype, shape });
  if (data.length !== bytes) {
    throw new DataError(`${what} has ${data.length} bytes; ${dtype} [${shape.join(', ')}] needs ${bytes}.`);
  }
  return { name, dtype, shape, pieces: () => piecesOf(section(access, data.begin, data.length)) };
}

/** `{ __msgpack_chunked_array__: true, shape: {0: …}, chunks: {0: array, 1: …} }`: the flat array in parts. */
async function chunkedArrayOf(access: RandomAccess, map: MsgpackMap, name: string): Promise<StoredTensor> {
  const what = `${access.source}: "${name}"`;
  const shape = listed(map.get('shape'), what);
  checkShape(shape, what);
  const chunks: StoredTensor[] = [];
  for (const chunk of listed(map.get('chunks'), what)) {
    if (!(chunk instanceof ExtensionPlace)) throw new DataError(`${what} has a chunk that is no array.`);
    chunks.push(await arrayOf(access, chunk, name));
  }
  const dtypes = new Set<StoredDTypeName>(chunks.map(({ dtype }) => dtype));
  const [dtype] = dtypes;
  const bytes = chunks.reduce((total, chunk) => total + byteLength(chunk), 0);
  if (dtype === undefined || dtypes.size > 1 || bytes !== sizeOf(shape) * storedDTypes[dtype].bytes) {
    throw new DataError(`${what} has chunks of ${bytes} bytes, which do not make [${shape.join(', ')}].`);
  }
  return {
    name,
    dtype,
    shape,
    pieces: async function* () {
      for (const chunk of chunks) yield* chunk.pieces();
    },
  };
}

/** A list, or a map with the keys 0, 1, …, as flax writes one. */
function listed(value: MsgpackValue | undefined, what: string): readonly MsgpackValue[] {
  if (Array.isArray(value)) return value as readonly MsgpackValue[];
  if (!(value instanceof Map)) throw new DataError(`${what} is a chunked array without its parts.`);
  return Array.from({ length: value.size }, (_, index) => {
    const item = (value as MsgpackMap).get(String(index));
    if (item === undefined) throw new DataError(`${what} is a chunked array that lacks part ${index}.`);
    return item;
  });
}
