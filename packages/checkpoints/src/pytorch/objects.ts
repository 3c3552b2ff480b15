/** What a pickle of PyTorch describes: storages, which are runs of bytes beside it, and tensors, which are views of them. */
import { sizeOf, type Shape } from '@meanflow/core';
import type { StoredDTypeName } from '@meanflow/formats';
import { storedDTypes, type StridedLayout, checkShape, extent } from '@meanflow/formats/build';
import { PassOver, PickleProblem, Tuple } from '../pickle/values.js';

export interface TorchStorage {
  /** Undefined for a storage of bytes, whose tensors say what they hold. */
  readonly dtype: StoredDTypeName | undefined;
  /** Name of its entry in the archive. */
  readonly key: string;
  /** Number of elements, or of bytes where it has no dtype. */
  readonly count: number;
  /** What it holds, where that is not read, and bytes of an element where they are known. */
  readonly passedOver?: { readonly what: string; readonly bytes: number | undefined };
}

/** A storage as a value, so that it is told from plain objects. */
export class StorageReference {
  constructor(readonly storage: TorchStorage) {}
}

export class TorchTensor {
  constructor(
    readonly storage: TorchStorage,
    readonly dtype: StoredDTypeName,
    readonly layout: StridedLayout,
  ) {}
}

/** A view that repeats elements may have so many more than its storage. */
const MOST_REPEATED = 1 << 24;

/**
 * A tensor from the arguments that PyTorch rebuilds it from.
 *
 * @throws {PickleProblem} when they are not such, or the view does not lie in its storage
 */
export function rebuildTensor(
  storage: unknown,
  offset: unknown,
  size: unknown,
  stride: unknown,
  dtype?: StoredDTypeName,
): TorchTensor {
  if (!(storage instanceof StorageReference)) throw new PickleProblem('a tensor has no storage');
  const { passedOver } = storage.storage;
  if (passedOver !== undefined) throw new PassOver(`a tensor of ${passedOver.what}`);
  const shape: unknown = size instanceof Tuple ? [...size.items] : size;
  checkShape(shape, 'A tensor in it');
  const strides = stride instanceof Tuple ? stride.items : undefined;
  if (strides?.length !== shape.length || !strides.every(isCount) || !isCount(offset)) {
    throw new PickleProblem(`a tensor of shape [${shape.join(', ')}] has the wrong strides or offset`);
  }
  const held = dtype ?? storage.storage.dtype;
  if (held === undefined) throw new PickleProblem('a tensor has no dtype');
  const layout = { shape, strides, offset };
  checkInside(storage.storage, held, layout);
  return new TorchTensor(storage.storage, held, layout);
}

function checkInside(storage: TorchStorage, dtype: StoredDTypeName, layout: StridedLayout): void {
  const { bytes } = storedDTypes[dtype];
  const available = storageBytes(storage) / bytes;
  const { begin, length } = extent(layout);
  const shape: Shape = layout.shape;
  if (!Number.isSafeInteger(begin + length) || begin + length > available) {
    throw new PickleProblem(
      `a tensor of shape [${shape.join(', ')}] ends at element ${begin + length} of storage "${storage.key}", which has ${available}`,
    );
  }
  if (sizeOf(shape) > Math.max(available, MOST_REPEATED)) {
    throw new PickleProblem(
      `a tensor of shape [${shape.join(', ')}] repeats the ${available} elements of storage "${storage.key}"`,
    );
  }
}

/** Bytes of a storage whose elements are read. */
export function storageBytes({ dtype, count }: TorchStorage): number {
  return dtype === undefined ? count : count * storedDTypes[dtype].bytes;
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
