/**
 * Msgpack, read for its structure: maps, arrays and scalars become values, while binary and extension data are only
 * noted where they lie, so that gigabytes of arrays stay in the file. Lengths are checked against what is left of the
 * file before anything is made, depth and the number of values are bounded.
 */
import { DataError } from '@meanflow/core';
import type { RandomAccess } from '@meanflow/formats';
import { ForwardReader } from '@meanflow/formats/build';

/** Bytes in the file. */
export class BinaryPlace {
  constructor(
    readonly begin: number,
    readonly length: number,
  ) {}
}

/** An extension's data in the file. */
export class ExtensionPlace extends BinaryPlace {
  constructor(
    readonly type: number,
    begin: number,
    length: number,
  ) {
    super(begin, length);
  }
}

export type MsgpackMap = ReadonlyMap<string, MsgpackValue>;
export type MsgpackValue =
  null | boolean | number | bigint | string | BinaryPlace | readonly MsgpackValue[] | MsgpackMap;

const DEEPEST = 100;
const MOST_VALUES = 1_000_000;
const LONGEST_TEXT = 1 << 24;

/**
 * The one value of a range of a file.
 *
 * @throws {DataError} when it is damaged, or more follows
 */
export async function scanMsgpack(access: RandomAccess, begin = 0, end = access.size): Promise<MsgpackValue> {
  const scanner = new Scanner(access, new ForwardReader(access, begin, end));
  const value = await scanner.value(0);
  if (!scanner.isAtEnd) throw new DataError(`${access.source} goes on after its msgpack value.`);
  return value;
}

class Scanner {
  private values = 0;

  constructor(
    private readonly access: RandomAccess,
    private readonly reader: ForwardReader,
  ) {}

  get isAtEnd(): boolean {
    return this.reader.isAtEnd;
  }

  async value(depth: number): Promise<MsgpackValue> {
    if (depth > DEEPEST) throw this.problem(`is nested more than ${DEEPEST} deep`);
    if (++this.values > MOST_VALUES) throw this.problem(`holds more than ${MOST_VALUES} values`);
    const code = await this.reader.uint8();
    if (code < 0x80) return code;
    if (code < 0x90) return this.map(code & 0x0f, depth);
    if (code < 0xa0) return this.array(code & 0x0f, depth);
    if (code < 0xc0) return this.string(code & 0x1f);
    if (code >= 0xe0) return code - 0x100;
    switch (code) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.binary(await this.unsigned(1 << (code - 0xc4)));
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.extension(await this.unsigned(1 << (code - 0xc7)));
      case 0xca:
      case 0xcb:
        return this.float(code === 0xca ? 4 : 8);
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
        return this.integer(1 << (code - 0xcc), false);
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3:
        return this.integer(1 << (code - 0xd0), true);
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.extension(1 << (code - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.string(await this.unsigned(1 << (code - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.array(await this.unsigned(2 << (code - 0xdc)), depth);
      case 0xde:
      case 0xdf:
        return this.map(await this.unsigned(2 << (code - 0xde)), depth);
      default:
        throw this.problem(`has the byte 0x${code.toString(16)} where a value should begin`);
    }
  }

  private async map(count: number, depth: number): Promise<MsgpackMap> {
    // A key and a value take a byte each at least.
    this.reader.checkLeft(2 * count);
    const map = new Map<string, MsgpackValue>();
    for (let i = 0; i < count; i++) {
      const key = await this.value(depth + 1);
      if (typeof key === 'object' && key !== null) throw this.problem('has a key that is no text or number');
      const name = String(key);
      if (map.has(name)) throw this.problem(`has the key ${JSON.stringify(name)} twice in one map`);
      map.set(name, await this.value(depth + 1));
    }
    return map;
  }

  private async array(count: number, depth: number): Promise<MsgpackValue[]> {
    this.reader.checkLeft(count);
    const items: MsgpackValue[] = [];
    for (let i = 0; i < count; i++) items.push(await this.value(depth + 1));
    return items;
  }

  private async string(length: number): Promise<string> {
    if (length > LONGEST_TEXT) throw this.problem(`has a text of ${length} bytes`);
    return this.reader.text(length);
  }

  private binary(length: number): BinaryPlace {
    const begin = this.reader.position;
    this.reader.skip(length);
    return new BinaryPlace(begin, length);
  }

  private async extension(length: number): Promise<ExtensionPlace> {
    const type = await this.reader.uint8();
    const begin = this.reader.position;
    this.reader.skip(length);
    return new ExtensionPlace(type, begin, length);
  }

  private async float(bytes: 4 | 8): Promise<number> {
    const { view, at } = await this.reader.next(bytes);
    return bytes === 4 ? view.getFloat32(at) : view.getFloat64(at);
  }

  private async unsigned(bytes: number): Promise<number> {
    return Number(await this.integer(bytes, false));
  }

  private async integer(bytes: number, isSigned: boolean): Promise<number | bigint> {
    const { view, at } = await this.reader.next(bytes);
    switch (bytes) {
      case 1:
        return isSigned ? view.getInt8(at) : view.getUint8(at);
      case 2:
        return isSigned ? view.getInt16(at) : view.getUint16(at);
      case 4:
        return isSigned ? view.getInt32(at) : view.getUint32(at);
      default: {
        const value = isSigned ? view.getBigInt64(at) : view.getBigUint64(at);
        return Number.isSafeInteger(Number(value)) ? Number(value) : value;
      }
    }
  }

  private problem(text: string): DataError {
    return new DataError(`${this.access.source} is not msgpack that can be read: it ${text}.`);
  }
}
