/**
 * Numbers that stand for constant arrays, the same for arrays of the same elements: a network makes its tables of positions anew
 * each time that it is evaluated, and they are one constant. Arrays are told apart by a hash first, which is computed once for each.
 */
import type { HostArray } from './host-array.js';

const hashes = new WeakMap<HostArray, number>();

const bytesOf = ({ data }: HostArray): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** FNV-1a, of 32 bits. Constants of graphs are immutable. */
function hashOf(array: HostArray): number {
  let hash = hashes.get(array);
  if (hash === undefined) {
    hash = 0x811c9dc5;
    for (const byte of bytesOf(array)) hash = Math.imul(hash ^ byte, 0x01000193);
    hashes.set(array, hash);
  }
  return hash;
}

/** Gives arrays of the same bits the same number. */
export class ArrayIdentities {
  private readonly known = new Map<number, { readonly array: HostArray; readonly id: number }[]>();
  private count = 0;

  of(array: HostArray): number {
    const hash = hashOf(array);
    const others = this.known.get(hash) ?? [];
    const same = others.find((other) => other.array === array || hasSameBits(other.array, array));
    if (same !== undefined) return same.id;
    this.known.set(hash, [...others, { array, id: this.count }]);
    return this.count++;
  }
}

function hasSameBits(one: HostArray, other: HostArray): boolean {
  if (one.dtype !== other.dtype || one.size !== other.size) return false;
  const bytes = bytesOf(other);
  return bytesOf(one).every((byte, i) => byte === bytes[i]);
}
