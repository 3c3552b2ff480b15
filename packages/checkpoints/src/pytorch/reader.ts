/**
 * PyTorch's files (`torch.save` since 1.6): a zip archive with a pickle that describes the tensors, `data.pkl`, and one
 * stored entry for each storage, `data/<key>`. Tensors may share a storage, and be any view of it.
 */
import { DataError } from '@meanflow/core';
import {
  type Catalogue,
  checkedCatalogue,
  extent,
  gather,
  isContiguous,
  piecesOf,
  type PlainValue,
  readAll,
  section,
  storedDTypes,
  type StoredTensor,
  type ZipArchive,
  type ZipEntry,
} from '@meanflow/formats';
import { containerGlobals } from '../pickle/containers.js';
import { visitLeaves } from '../pickle/flatten.js';
import type { PickleHost } from '../pickle/machine.js';
import { NumpyArray, numpyGlobals } from '../pickle/numpy.js';
import { unpickle } from '../pickle/unpickle.js';
import { GlobalReference, PickleProblem, Tuple } from '../pickle/values.js';
import { torchStorages } from './dtypes.js';
import { torchGlobals } from './globals.js';
import { isCount, StorageReference, storageBytes, TorchTensor, type TorchStorage } from './objects.js';

const PICKLE = 'data.pkl';
/** A description of tensors, not the tensors: the largest optimizer states take some megabytes. A byte of it can make an object of two hundred. */
const LARGEST_PICKLE = 1 << 25;

const globals = [containerGlobals, numpyGlobals, torchGlobals];

/** The entry that describes an archive of PyTorch, if it is one. */
export function torchPickle({ entries }: ZipArchive): ZipEntry | undefined {
  return entries.find(({ name }) => name === PICKLE || /^[^/]+\/data\.pkl$/.test(name));
}

/** @throws {DataError} when the archive is damaged, or its pickle asks for anything but tensors and plain containers */
export async function readPyTorch(archive: ZipArchive): Promise<Catalogue> {
  const entry = torchPickle(archive);
  if (entry === undefined) throw new DataError(`${archive.source} has no data.pkl.`);
  const prefix = entry.name.slice(0, -PICKLE.length);
  const byName = new Map(archive.entries.map((each) => [each.name, each]));
  if (byName.has(`${prefix}constants.pkl`)) {
    throw new DataError(`${archive.source} is a program (TorchScript), not a checkpoint of tensors.`);
  }
  await checkByteOrder(archive, byName.get(`${prefix}byteorder`));
  const bytes = await readAll(await archive.stored(entry), LARGEST_PICKLE);
  const root = unpickle(bytes, host, archive.describe(entry));
  const tensors: StoredTensor[] = [];
  const values: PlainValue[] = [];
  const storageEntry = (storage: TorchStorage): ZipEntry => {
    const found = byName.get(`${prefix}data/${storage.key}`);
    if (found === undefined) throw new DataError(`${archive.source} lacks the storage "${storage.key}".`);
    if (found.size !== storageBytes(storage)) {
      throw new DataError(
        `${archive.describe(found)} has ${found.size} bytes, its pickle says ${storageBytes(storage)}.`,
      );
    }
    return found;
  };
  visitLeaves(root, archive.source, (path, leaf) => {
    const name = path === '' ? 'data' : path;
    if (leaf instanceof TorchTensor) tensors.push(storedTensor(name, leaf, archive, storageEntry(leaf.storage)));
    else if (leaf instanceof NumpyArray) tensors.push(leaf.tensor(name));
    else if (leaf instanceof GlobalReference) values.push({ name, value: leaf.name });
    else if (isPlain(leaf)) values.push({ name, value: leaf });
  }); // prettier-ignore
  return checkedCatalogue({ format: 'PyTorch', source: archive.source, tensors, values });
}

const host: PickleHost = {
  global: (module, name) => {
    const table = globals.find(
      (each) => Object.hasOwn(each, module) && Object.hasOwn(each[module], name),
    );
    return table?.[module][name];
  },
  persistent: (id) => {
    const [kind, type, key, , count] = id instanceof Tuple ? id.items : [];
    const name = type instanceof GlobalReference ? type.name : '';
    const isUntyped = name === 'torch.storage.UntypedStorage';
    const storage = name.replace(/^torch\./, '');
    if (kind !== 'storage' || typeof key !== 'string' || !isCount(count)) {
      throw new PickleProblem('it refers to something beside it that is no storage');
    }
    if (!isUntyped && !Object.hasOwn(torchStorages, storage)) {
      throw new PickleProblem(`a storage has the type ${name}`);
    }
    return new StorageReference({ dtype: isUntyped ? undefined : torchStorages[storage], key, count });
  },
}; // prettier-ignore

function storedTensor(
  name: string,
  { dtype, layout }: TorchTensor,
  archive: ZipArchive,
  entry: ZipEntry,
): StoredTensor {
  const { bytes } = storedDTypes[dtype];
  const { begin, length } = extent(layout);
  return {
    name,
    dtype,
    shape: layout.shape,
    pieces: async function* () {
      const storage = await archive.stored(entry);
      const used = section(storage, begin * bytes, length * bytes);
      if (isContiguous(layout)) yield* piecesOf(used);
      else yield* gather(await used.read(0, used.size), bytes, { ...layout, offset: 0 });
    },
  };
}

async function checkByteOrder(archive: ZipArchive, entry: ZipEntry | undefined): Promise<void> {
  if (entry === undefined) return;
  const order = new TextDecoder().decode(await readAll(await archive.stored(entry), 64));
  if (order !== 'little') {
    throw new DataError(
      `${archive.source} was written with ${JSON.stringify(order)}-endian bytes; little-endian ones can be read.`,
    );
  }
}

function isPlain(value: unknown): value is PlainValue['value'] {
  return value === null || ['boolean', 'number', 'bigint', 'string'].includes(typeof value);
}
