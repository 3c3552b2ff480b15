/** What a pickle of PyTorch describes as a catalogue: tensors, views of storages that lie beside it, and plain values. */
import type { Catalogue, PassedOver, PlainValue, RandomAccess, StoredTensor } from '@meanflow/formats';
import {
  section,
  storedDTypes,
  checkedCatalogue,
  extent,
  gather,
  isContiguous,
  piecesOf,
} from '@meanflow/formats/build';
import { containerGlobals } from '../pickle/containers.js';
import { visitLeaves } from '../pickle/flatten.js';
import type { PickleHost } from '../pickle/machine.js';
import { NumpyArray, numpyGlobals } from '../pickle/numpy.js';
import { GlobalReference, PassOver, PickleProblem, Tuple } from '../pickle/values.js';
import { torchStorages, unreadStorages } from './storages.js';
import { torchGlobals } from './globals.js';
import { isCount, StorageReference, TorchTensor, type TorchStorage } from './objects.js';

/** A description of tensors, not the tensors: the largest optimizer states take some megabytes. */
export const LARGEST_PICKLE = 1 << 25;

/** The bytes of a storage. It is looked up at once, so that one that is not there is an error; read when the tensor is. */
export type OpenStorage = (storage: TorchStorage) => () => Promise<RandomAccess>;

const globals = [containerGlobals, numpyGlobals, torchGlobals];

/**
 * What a pickle of PyTorch may name and refer to.
 *
 * @param onStorage is told each storage that it refers to, also those of elements that are not read
 */
export function torchHost(onStorage: (storage: TorchStorage) => void = () => undefined): PickleHost {
  return {
    global: (module, name) => {
      const table = globals.find((each) => Object.hasOwn(each, module) && Object.hasOwn(each[module]!, name));
      return table?.[module]![name];
    },
    persistent: (id) => {
      // The older format refers to classes of modules by their source too.
      if (id instanceof Tuple && id.items[0] === 'module') return id.items[1];
      const storage = storageOf(id);
      onStorage(storage);
      return new StorageReference(storage);
    },
  };
}

/** `('storage', type, key, device, number of elements)`, and in files of before 0.4 a view of another one. */
function storageOf(id: unknown): TorchStorage {
  const [kind, type, key, , count, view] = id instanceof Tuple ? id.items : [];
  if (kind !== 'storage') throw new PassOver('an object that lies beside the pickle');
  if (typeof key !== 'string' || !isCount(count)) {
    throw new PickleProblem('it refers to something beside it that is no storage');
  }
  const what = type instanceof GlobalReference ? type.name : 'an unknown storage';
  const isView = view !== undefined && view !== null;
  if (what === 'torch.storage.UntypedStorage' && !isView) return { dtype: undefined, key, count };
  const name = what.replace(/^torch\./, '');
  const isRead = Object.hasOwn(torchStorages, name) && !isView;
  if (isRead) return { dtype: torchStorages[name], key, count };
  const bytes = Object.hasOwn(unreadStorages, name) ? unreadStorages[name] : undefined;
  return { dtype: undefined, key, count, passedOver: { what, bytes } };
}

/**
 * @param root what the pickle holds
 * @throws {DataError} when a storage is missing, or there is more in it than in any checkpoint
 */
export function torchCatalogue(
  root: unknown,
  { format, source }: Pick<Catalogue, 'format' | 'source'>,
  open: OpenStorage,
): Catalogue {
  const tensors: StoredTensor[] = [];
  const values: PlainValue[] = [];
  const passedOver: PassedOver[] = [];
  const leaf = (path: string, value: unknown, isInside: boolean): void => {
    const name = path === '' ? 'data' : path;
    const pass = (what: string): void => {
      if (!isInside) passedOver.push({ name, what });
    };
    if (value instanceof TorchTensor) tensors.push(storedTensor(name, value, open(value.storage)));
    else if (value instanceof NumpyArray && value.passedOver !== undefined) pass(value.passedOver);
    // In objects there are states of random numbers, and the like.
    else if (value instanceof NumpyArray) { if (!isInside) tensors.push(value.tensor(name)); }
    else if (value instanceof GlobalReference && value.known === undefined) pass(value.name);
    else if (value instanceof StorageReference) pass('a storage without a tensor');
    else if (isInside) return;
    else if (value instanceof GlobalReference) values.push({ name, value: value.name });
    else if (value instanceof Uint8Array) values.push({ name, value: `${value.length} bytes` });
    else if (isPlain(value)) values.push({ name, value });
  };
  visitLeaves(root, source, { leaf, passedOver: (path, what) => passedOver.push({ name: path === '' ? 'data' : path, what }) });
  return checkedCatalogue({ format, source, tensors, values, passedOver });
} // prettier-ignore

function storedTensor(
  name: string,
  { dtype, layout }: TorchTensor,
  open: () => Promise<RandomAccess>,
): StoredTensor {
  const { bytes } = storedDTypes[dtype];
  const { begin, length } = extent(layout);
  return {
    name,
    dtype,
    shape: layout.shape,
    pieces: async function* () {
      const used = section(await open(), begin * bytes, length * bytes);
      if (isContiguous(layout)) yield* piecesOf(used);
      else yield* gather(await used.read(0, used.size), bytes, { ...layout, offset: 0 });
    },
  };
}

function isPlain(value: unknown): value is PlainValue['value'] {
  return value === null || ['boolean', 'number', 'bigint', 'string'].includes(typeof value);
}
