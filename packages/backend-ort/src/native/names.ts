/** Lists of texts as C takes them. */
import { getTextEncoding } from '@bufbuild/protobuf/wire';
import type { Koffi } from './koffi.js';

/** Zero-terminated texts, and where each lies. */
export interface Names {
  readonly places: BigUint64Array;
  readonly characters: Uint8Array;
}

export function namesOf(koffi: Koffi, names: readonly string[]): Names {
  const encoded = names.map((name) => getTextEncoding().encodeUtf8(`${name}\0`));
  const characters = new Uint8Array(encoded.reduce((sum, { length }) => sum + length, 0));
  const start = koffi.address(characters);
  let end = 0;
  const places = BigUint64Array.from(encoded, (name) => {
    const place = end;
    characters.set(name, place);
    end += name.length;
    return start + BigInt(place);
  });
  return { places, characters };
}
