/**
 * PyTorch's files (`torch.save` since 1.6): a zip archive with a pickle that describes the tensors, `data.pkl`, and one
 * stored entry for each storage, `data/<key>`. Tensors may share a storage, and be any view of it.
 */
import { DataError } from '@meanflow/core';
import { printableJson, quoted } from '@meanflow/core/validation';
import type { Catalogue, ZipArchive, ZipEntry } from '@meanflow/formats';
import { readAll } from '@meanflow/formats/build';
import { unpickle } from '../pickle/unpickle.js';
import { LARGEST_PICKLE, torchCatalogue, torchHost } from './catalogue.js';
import { storageBytes } from './objects.js';

const PICKLE = 'data.pkl';

/** The entry that describes an archive of PyTorch, if it is one. */
export function torchPickle({ entries }: ZipArchive): ZipEntry | undefined {
  return entries.find(({ name }) => name === PICKLE || /^[^/]+\/data\.pkl$/.test(name));
}

/** @throws {DataError} when the archive is damaged, or a program */
export async function readPyTorch(archive: ZipArchive): Promise<Catalogue> {
  const { source } = archive;
  const entry = torchPickle(archive);
  if (entry === undefined) throw new DataError(`${source} has no data.pkl.`);
  const prefix = entry.name.slice(0, -PICKLE.length);
  const byName = new Map(archive.entries.map((each) => [each.name, each]));
  if (byName.has(`${prefix}constants.pkl`)) {
    throw new DataError(
      `${source} is a program (TorchScript), not a checkpoint of tensors. Save its weights: ` +
        'torch.save(torch.jit.load(old).state_dict(), new).',
    );
  }
  await checkByteOrder(archive, byName.get(`${prefix}byteorder`));
  const bytes = await readAll(await archive.stored(entry), LARGEST_PICKLE);
  const root = unpickle(bytes, torchHost(), archive.describe(entry));
  return torchCatalogue(root, { format: 'PyTorch', source }, (storage) => {
    const found = byName.get(`${prefix}data/${storage.key}`);
    if (found === undefined) throw new DataError(`${source} lacks the storage ${quoted(storage.key)}.`);
    if (found.size !== storageBytes(storage)) {
      throw new DataError(
        `${archive.describe(found)} has ${found.size} bytes, its pickle says ${storageBytes(storage)}.`,
      );
    }
    return () => archive.stored(found);
  });
}

async function checkByteOrder(archive: ZipArchive, entry: ZipEntry | undefined): Promise<void> {
  if (entry === undefined) return;
  const order = new TextDecoder().decode(await readAll(await archive.stored(entry), 64));
  if (order !== 'little') {
    throw new DataError(
      `${archive.source} was written with ${printableJson(order)}-endian bytes; little-endian ones can be read.`,
    );
  }
}
