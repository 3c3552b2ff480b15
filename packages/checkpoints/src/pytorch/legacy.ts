/**
 * PyTorch's older files (`torch.save` before 1.6, and later where it is asked for): pickles one after another, of a magic number,
 * a version, facts about the machine, the tensors, and the keys of their storages; then each storage, its number of elements
 * before its bytes.
 */
import { DataError } from '@meanflow/core';
import { printable, printableJson, quoted } from '@meanflow/core/validation';
import type { Catalogue, RandomAccess } from '@meanflow/formats';
import { section } from '@meanflow/formats/build';
import { PickleEnd } from '../pickle/machine.js';
import { pickleError, unpickleFirst } from '../pickle/unpickle.js';
import { LARGEST_PICKLE, torchCatalogue, torchHost } from './catalogue.js';
import { storageBytes, type TorchStorage } from './objects.js';

/** The magic number as a pickle has it: LONG1, ten bytes. */
const MAGIC = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const VERSION = 1001;
/** The pickles before the storages. */
const PICKLES = 5;
/** How much is read at first, where the pickles of most files end. */
const FIRST = 1 << 20;

/** Whether a file begins so. @param head 32 bytes of it, or all where it is shorter */
export function isLegacyTorch(head: Uint8Array): boolean {
  if (head[0] !== 0x80) return false;
  // From protocol 4 on, a frame stands before it.
  return [2, 11].some((at) => MAGIC.every((byte, i) => head[at + i] === byte));
}

/** @throws {DataError} when the file is damaged */
export async function readLegacyTorch(access: RandomAccess): Promise<Catalogue> {
  const { source } = access;
  const { values, end, storages } = await readPickles(access);
  const [, version, machine, root, keys] = values;
  if (version !== VERSION) {
    throw new DataError(`${source} has version ${printableJson(version)} of PyTorch's older format, expected ${VERSION}.`);
  }
  if (machine instanceof Map && machine.get('little_endian') === false) {
    throw new DataError(`${source} was written with big-endian bytes; little-endian ones can be read.`);
  }
  if (!Array.isArray(keys)) throw new DataError(`${source} does not list its storages.`);
  const places = await placeStorages(access, end, keys, storages);
  return torchCatalogue(root, { format: 'PyTorch, before 1.6', source }, ({ key }) => {
    const place = places.get(key);
    if (place === undefined) throw new DataError(`${source} lacks the storage ${quoted(key)}.`);
    return async () => place;
  });
} // prettier-ignore

/** Where each storage lies: they follow one another, in the order of their keys. */
async function placeStorages(
  access: RandomAccess,
  begin: number,
  keys: readonly unknown[],
  storages: ReadonlyMap<string, TorchStorage>,
): Promise<ReadonlyMap<string, RandomAccess>> {
  const { source } = access;
  const places = new Map<string, RandomAccess>();
  let at = begin;
  for (const key of keys) {
    const storage = storages.get(String(key));
    const size = storage === undefined ? undefined : bytesOf(storage);
    if (storage === undefined || size === undefined) {
      const what = storage?.passedOver?.what ?? 'an unknown storage';
      throw new DataError(
        `${source} holds ${printable(what)}, whose size is not known, so that what follows cannot be found. Write it anew with a ` +
          'later PyTorch: torch.save(torch.load(old), new).',
      );
    }
    const head = await access.read(at, 8);
    const count = new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true);
    if (count !== BigInt(storage.count)) {
      throw new DataError(
        `${source} has a storage ${quoted(storage.key)} of ${count} elements, its pickle says ${storage.count}.`,
      );
    }
    places.set(storage.key, section(access, at + 8, size));
    at += 8 + size;
  }
  return places;
}

function bytesOf(storage: TorchStorage): number | undefined {
  const { passedOver, count } = storage;
  if (passedOver === undefined) return storageBytes(storage);
  return passedOver.bytes === undefined ? undefined : count * passedOver.bytes;
}

interface Pickles {
  readonly values: readonly unknown[];
  /** Where the last one ends. */
  readonly end: number;
  /** What they refer to, by key. */
  readonly storages: ReadonlyMap<string, TorchStorage>;
}

/** The pickles at the beginning, which do not say how long they are: more is read until all of them end. */
async function readPickles(access: RandomAccess): Promise<Pickles> {
  const most = Math.min(access.size, LARGEST_PICKLE);
  for (let length = Math.min(FIRST, most); ; length = Math.min(8 * length, most)) {
    const bytes = await access.read(0, length);
    const values: unknown[] = [];
    const storages = new Map<string, TorchStorage>();
    const host = torchHost((storage) => storages.set(storage.key, storage));
    let end = 0;
    try {
      while (values.length < PICKLES) {
        const found = unpickleFirst(bytes.subarray(end), host);
        values.push(found.value);
        end += found.end;
      }
      return { values, end, storages };
    } catch (error) {
      if (!(error instanceof PickleEnd) || length === most) {
        throw pickleError(error, `Part ${values.length + 1} of ${access.source}`, end);
      }
    }
  }
}
