/** Safetensors by random access: the header is read, and each tensor when it is asked for. */
import { headerEnd, readSafetensorsHeader } from './header.js';
import { piecesOf, section, type RandomAccess } from '../access/random-access.js';
import { checkedCatalogue, type Catalogue, type PlainValue, type StoredTensor } from '../catalogue.js';

const FORMAT = 'safetensors';

/** @throws {DataError} when the file is damaged */
export async function readSafetensors(access: RandomAccess): Promise<Catalogue> {
  const { source, size } = access;
  const first = await access.read(0, Math.min(8, size));
  const header = await access.read(0, headerEnd(first, size, source));
  const { entries, metadata } = readSafetensorsHeader(header, size, source);
  const tensors = entries.map(({ name, dtype, shape, begin, end }): StoredTensor => ({
    name,
    dtype,
    shape,
    pieces: () => piecesOf(section(access, begin, end - begin)),
  }));
  const values = Object.entries(metadata).map(([name, value]): PlainValue => ({ name, value }));
  return checkedCatalogue({ format: FORMAT, source, tensors, values });
}
