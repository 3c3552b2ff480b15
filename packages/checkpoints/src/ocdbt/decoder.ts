/** The primitive fields of OCDBT: variable-length integers (LEB128), fixed ones and byte strings. */
import { DataError } from '@meanflow/core';

/** Entries of one node or table: the largest checkpoints have some thousand arrays, all in all. */
const MOST_ENTRIES = 1_000_000;

export class FieldDecoder {
  private position = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly source: string,
  ) {}

  take(length: number): Uint8Array {
    if (this.position + length > this.bytes.length) {
      throw this.problem(`${length} bytes are asked for where ${this.bytes.length - this.position} are left`);
    }
    this.position += length;
    return this.bytes.subarray(this.position - length, this.position);
  }

  uint8(): number {
    return this.take(1)[0]!;
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 63; shift += 7) {
      const byte = this.uint8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
    }
    throw this.problem('an integer is larger than any size');
  }

  /** A number of entries, each of which takes a byte at least, and much more in memory. */
  count(): number {
    const count = this.varint();
    if (count > MOST_ENTRIES) throw this.problem(`it has ${count} entries, more than ${MOST_ENTRIES}`);
    if (count > this.bytes.length - this.position) throw this.problem(`${count} entries cannot follow`);
    return count;
  }

  varints(count: number): number[] {
    return Array.from({ length: count }, () => this.varint());
  }

  /** All of it was read. */
  end(): void {
    if (this.position !== this.bytes.length) {
      throw this.problem(`${this.bytes.length - this.position} bytes are left over`);
    }
  }

  problem(text: string): DataError {
    return new DataError(`${this.source} is damaged: ${text}.`);
  }
}

/** Byte strings of which each shares a prefix with the one before it. */
export function decodePrefixed(
  decoder: FieldDecoder,
  prefixLengths: readonly number[],
  suffixLengths: readonly number[],
): Uint8Array[] {
  const strings: Uint8Array[] = [];
  let total = 0;
  suffixLengths.forEach((length, i) => {
    const previous = strings[i - 1] ?? new Uint8Array(0);
    const shared = i === 0 ? 0 : prefixLengths[i - 1]!;
    if (shared > previous.length || shared + length > LONGEST_STRING)
      throw decoder.problem('a key is damaged');
    total += shared + length;
    if (total > LONGEST_STRINGS) throw decoder.problem(`its keys take more than ${LONGEST_STRINGS} bytes`);
    strings.push(joined(previous.subarray(0, shared), decoder.take(length)));
  });
  return strings;
}

const LONGEST_STRING = 65_535;
/** All keys of a node. What they share is written once, so that few bytes can stand for many. */
const LONGEST_STRINGS = 1 << 26;

export function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
