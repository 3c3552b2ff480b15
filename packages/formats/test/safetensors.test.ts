/** The codec: against the official library's file, by random round trips, and against every kind of damage. */
import { readFileSync } from 'node:fs';
import { DataError, hostArray, type HostDType } from '@meanflow/core';
import fc from 'fast-check';
import { decodeSafetensors, encodeSafetensors } from '../src/index.js';
import { readSafetensorsHeader } from '../src/safetensors/header.js';
import { safetensorsLayout } from '../src/build.js';

const official = readFileSync(new URL('./data/official.safetensors', import.meta.url));

/** A file from a header, as an object or as text, and as many bytes of data. */
function fileOf(header: unknown, dataBytes: number, headerLength?: number): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength ?? text.length), true);
  file.set(text, 8);
  return file;
}

const entry = (
  begin: number,
  end: number,
  shape: unknown = [(end - begin) / 4],
  dtype: unknown = 'F32',
): unknown => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe('a file of the official library', () => {
  const { tensors, metadata } = decodeSafetensors(official, 'official.safetensors');

  it.each([
    ['f64', 'float64', [2, 2], [1.5, -2.25, 3, 1e300]],
    ['f32', 'float32', [3], [1.5, Math.fround(-0.1), Math.fround(3e38)]],
    ['f16', 'float32', [5], [0, -1.5, 65504, 2 ** -24, Infinity]],
    ['bf16', 'float32', [4], [0, -1.5, 3.00405527047391e38, 9.183549615799121e-41]],
    ['i64', 'int32', [2], [-(2 ** 31), 2 ** 31 - 1]],
    ['i32', 'int32', [2, 1], [-7, 9]],
    ['i16', 'int32', [2], [-300, 300]],
    ['i8', 'int32', [2], [-128, 127]],
    ['u8', 'int32', [2], [0, 255]],
    ['bool', 'bool', [3], [1, 0, 1]],
    ['scalar', 'float32', [], [42]],
    ['empty', 'float32', [0, 3], []],
  ])('%s is read as %s', (name, dtype, shape, values) => {
    expect(tensors[name].dtype).toBe(dtype);
    expect(tensors[name].shape).toEqual(shape);
    expect([...tensors[name].data]).toEqual(values);
  });

  it('has its metadata', () => {
    expect(metadata).toEqual({ made: 'by the official library', unit: 'µ' });
    expect(Object.keys(tensors)).toHaveLength(12);
  });

  it('is written again byte for byte', () => {
    const written = readFileSync(new URL('./data/official-written.safetensors', import.meta.url));
    const decoded = decodeSafetensors(written);
    expect(Object.keys(decoded.tensors)).toHaveLength(5);
    expect(encodeSafetensors(reversed(decoded.tensors), decoded.metadata)).toEqual(new Uint8Array(written));
  });
});

describe('round trips', () => {
  const arrays = fc
    .tuple(
      fc.constantFrom<HostDType>('float32', 'float64', 'int32', 'bool'),
      fc.array(fc.nat(3), { maxLength: 3 }),
      fc.infiniteStream(fc.double({ noNaN: true })),
    )
    .map(([dtype, shape, stream]) => {
      const count = shape.reduce((product, n) => product * n, 1);
      const values = Array.from({ length: count }, () => stream.next().value as number);
      const data = dtype === 'bool' ? values.map((value) => Number(value > 0)) : values;
      return hostArray(dtype === 'float64' ? Float64Array.from(data) : data.map(narrow(dtype)), {
        dtype,
        shape,
      });
    });
  const files = fc.record({
    tensors: fc.dictionary(
      fc.string({ unit: 'binary' }).filter((name) => name !== '__metadata__'),
      arrays,
    ),
    metadata: fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })),
  });

  it('give back what was written, whatever the names, shapes and dtypes', () => {
    fc.assert(
      fc.property(files, ({ tensors, metadata }) => {
        const decoded = decodeSafetensors(encodeSafetensors(tensors, metadata));
        expect(new Map(Object.entries(decoded.tensors))).toEqual(new Map(Object.entries(tensors)));
        expect(new Map(Object.entries(decoded.metadata))).toEqual(new Map(Object.entries(metadata)));
      }),
    );
  });

  it('make the same bytes in whatever order the tensors are given, each tensor aligned to its elements', () => {
    fc.assert(
      fc.property(files, ({ tensors, metadata }) => {
        const bytes = encodeSafetensors(tensors, metadata);
        expect(encodeSafetensors(reversed(tensors), reversed(metadata))).toEqual(bytes);
        const widths = { F64: 8, F32: 4, I32: 4, BOOL: 1 } as Readonly<Record<string, number>>;
        const { entries } = readSafetensorsHeader(bytes, bytes.length, 'test');
        for (const { begin, dtype } of entries) expect(begin % widths[dtype]).toBe(0);
        const [first] = entries;
        if (first !== undefined) expect(first.begin % 8).toBe(0);
      }),
    );
  });

  it('refuse every truncation, and never read outside the file', () => {
    const bytes = encodeSafetensors(
      { a: hostArray([1, 2, 3]), b: hostArray([[1], [0]], { dtype: 'bool' }) },
      { k: 'v' },
    );
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeSafetensors(bytes.slice(0, length), 'cut.safetensors')).toThrow(DataError);
    }
    expect(() => decodeSafetensors(bytes.slice(0, -1), 'cut.safetensors')).toThrow(
      `cut.safetensors is not an intact safetensors file: it ends at byte ${bytes.length - 1}, but its tensors end at ` +
        `byte ${bytes.length}: the file is truncated.`,
    );
  });

  it('survive any flipped byte of the header: a DataError, or tensors of a valid file', () => {
    const bytes = encodeSafetensors({ a: hostArray([1, 2, 3]), b: hostArray([4]) }, { k: 'v' });
    const { begin } = readSafetensorsHeader(bytes, bytes.length, 'test').entries[0];
    fc.assert(
      fc.property(fc.nat(begin - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = bytes.slice();
        damaged[at] ^= flip;
        try {
          const { tensors } = decodeSafetensors(damaged);
          expect(Object.values(tensors).reduce((total, { data }) => total + data.byteLength, 0)).toBe(16);
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('take metadata of megabytes', () => {
    const metadata = { config: JSON.stringify({ text: '"\\'.repeat(500_000) }) };
    expect(decodeSafetensors(encodeSafetensors({}, metadata)).metadata).toEqual(metadata);
  });

  it('work on a view into a larger buffer', () => {
    const bytes = encodeSafetensors({ a: hostArray([1, 2, 3]) });
    const padded = new Uint8Array(bytes.length + 3);
    padded.set(bytes, 3);
    expect([...decodeSafetensors(padded.subarray(3)).tensors.a.data]).toEqual([1, 2, 3]);
    expect(() => encodeSafetensors({ ['__metadata__']: hostArray(1) })).toThrow('"__metadata__"');
  });
});

describe('damage', () => {
  it.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(0), 'it has 0 bytes, expected at least 8'],
    ['seven bytes', new Uint8Array(7), 'it has 7 bytes, expected at least 8'],
    [
      'a huge header length',
      fileOf('{}', 0, 2 ** 40),
      'a header of 1099511627776 bytes, expected at most 100000000',
    ],
    [
      'a header beyond the file',
      fileOf('{}', 0, 100),
      'its header ends at byte 108, but the file has 10 bytes',
    ],
    ['no JSON', fileOf('{"a":', 0), 'its header is not JSON: Unexpected end'],
    [
      'JSON of a hundred thousand levels',
      fileOf(`{"a":{"dtype":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`, 0),
      'its header is nested more than 8 levels deep (character 21)',
    ],
    [
      'a million empty tensors',
      fileOf(`{${Array.from({ length: 1_000_001 }, (_, i) => `"${i}":0`).join()}}`, 0),
      'its header holds more than 1000000 keys (character ',
    ],
    [
      'a name of megabytes',
      fileOf({ ['x'.repeat(5_000_000)]: entry(0, 4, [2]) }, 4),
      `tensor "${'x'.repeat(200)}… (5000000 characters)": F32 [2] needs 8 bytes`,
    ],
    [
      'a name with what a terminal obeys',
      fileOf({ '\x1b]0;pwned\x07': entry(0, 4, [2]) }, 4),
      String.raw`tensor "\x1b]0;pwned\x07": F32 [2] needs 8 bytes`,
    ],
    ['text before the JSON', fileOf(' {}', 0), 'its header does not begin with "{"'],
    ['a list', fileOf('[]', 0), 'its header does not begin with "{"'],
    [
      'a header that is not UTF-8',
      (() => {
        const file = fileOf('{"x":1}', 0);
        file[10] = 0xff;
        return file;
      })(),
      'not UTF-8',
    ],
    [
      'metadata that is no text',
      fileOf({ __metadata__: { k: 1 } }, 0),
      '"__metadata__" is not an object of texts',
    ],
    [
      'metadata that is no object',
      fileOf({ __metadata__: 'k' }, 0),
      '"__metadata__" is not an object of texts',
    ],
    ['a tensor that is no object', fileOf({ a: 3 }, 0), 'tensor "a" is not described by an object'],
    [
      'a missing shape',
      fileOf({ a: { dtype: 'F32', data_offsets: [0, 4] } }, 4),
      'tensor "a" has shape undefined',
    ],
    [
      'a negative dimension',
      fileOf({ a: entry(0, 4, [-1]) }, 4),
      'has shape [-1], expected a list of whole numbers',
    ],
    ['half a dimension', fileOf({ a: entry(0, 4, [0.5]) }, 4), 'has shape [0.5]'],
    [
      'missing offsets',
      fileOf({ a: { dtype: 'F32', shape: [] } }, 4),
      'has data_offsets undefined, expected [begin, end]',
    ],
    [
      'offsets that are no numbers',
      fileOf({ a: { dtype: 'F32', shape: [], data_offsets: ['0', '4'] } }, 4),
      'has data_offsets ["0","4"]',
    ],
    [
      'an unknown dtype',
      fileOf({ a: entry(0, 4, [1], 'F4') }, 4),
      'has dtype "F4", expected one of F64, F32',
    ],
    ['a dtype of the prototype', fileOf({ a: entry(0, 4, [1], 'toString') }, 4), 'has dtype "toString"'],
    [
      'an unknown field',
      fileOf({ a: { ...(entry(0, 4) as object), scale: 2 } }, 4),
      'has an unknown field "scale"',
    ],
    [
      'a shape too large',
      fileOf({ a: entry(0, 4, [2]) }, 4),
      'F32 [2] needs 8 bytes, data_offsets [0, 4] hold 4',
    ],
    ['offsets that run backwards', fileOf({ a: entry(4, 0, [1]) }, 4), 'data_offsets [4, 0] hold -4'],
    [
      'overlapping tensors',
      fileOf({ a: entry(0, 8), b: entry(4, 12) }, 12),
      'tensor "b" overlaps the tensor before it',
    ],
    ['the same bytes twice', fileOf({ a: entry(0, 4), b: entry(0, 4) }, 4), 'tensor "b" overlaps'],
    [
      'a gap',
      fileOf({ a: entry(0, 4), b: entry(8, 12) }, 12),
      'tensor "b" leaves a gap before it: it begins at byte',
    ],
    ['a gap at the front', fileOf({ a: entry(4, 8) }, 8), 'tensor "a" leaves a gap before it'],
    ['bytes at the end', fileOf({ a: entry(0, 4) }, 7), '3 bytes follow its last tensor'],
    ['a truncated tensor', fileOf({ a: entry(0, 8) }, 7), 'the file is truncated'],
    [
      'a tensor twice',
      fileOf(
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        4,
      ),
      'its header names "a" twice',
    ],
    [
      'a field twice',
      fileOf('{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4),
      'its header names "dtype" twice',
    ],
    [
      'an escaped name twice',
      fileOf('{"__metadata__":{"k":"}","\\u006b":"{"}}', 0),
      'its header names "k" twice',
    ],
  ])('%s', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes, 'x.safetensors')).toThrow(DataError);
    expect(() => decodeSafetensors(bytes, 'x.safetensors')).toThrow(message);
    expect(() => decodeSafetensors(bytes, 'x.safetensors')).toThrow(
      'x.safetensors is not an intact safetensors file',
    );
  });

  it('says which element does not fit', () => {
    const file = fileOf({ n: entry(0, 16, [2], 'I64') }, 16);
    new DataView(file.buffer).setBigInt64(file.length - 8, 2n ** 31n, true);
    expect(() => decodeSafetensors(file, 'x')).toThrow(
      'x: tensor "n" holds 2147483648 at element 1, which does not fit',
    );
    const bool = fileOf({ b: entry(0, 2, [2], 'BOOL') }, 2);
    bool[bool.length - 1] = 2;
    expect(() => decodeSafetensors(bool, 'x')).toThrow(
      'x: tensor "b" holds 2 at element 1, which is no bool',
    );
  });

  it('accepts names that look like the structure around them, and keys that repeat in different objects', () => {
    const name = '{"a":[1,"';
    const file = encodeSafetensors({ [name]: hostArray([1]), dtype: hostArray([2]) }, { dtype: '"dtype":' });
    expect(Object.keys(decodeSafetensors(file).tensors).sort()).toEqual(['dtype', name].sort());
  });
});

/** Doubles to the values of a dtype. */
function narrow(dtype: HostDType): (value: number) => number {
  return dtype === 'int32' ? (value) => value | 0 : dtype === 'float32' ? Math.fround : (value) => value;
}

function reversed<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).reverse());
}

describe('a layout', () => {
  it('puts wide elements first, gives every tensor its bytes, and reads back', () => {
    const { header, tensors } = safetensorsLayout(
      [
        { name: 'a', dtype: 'F16', shape: [3] },
        { name: 'c', dtype: 'F32', shape: [2, 2] },
        { name: 'b', dtype: 'F32', shape: [] },
      ],
      { k: 'v' },
    );
    expect(tensors.map(({ name }) => name)).toEqual(['b', 'c', 'a']);
    const file = new Uint8Array(header.length + 4 + 16 + 6);
    file.set(header);
    const { entries, metadata } = readSafetensorsHeader(header, file.length, 'layout');
    expect(entries.map(({ name, begin, end }) => [name, begin - header.length, end - header.length])).toEqual(
      [
        ['b', 0, 4],
        ['c', 4, 20],
        ['a', 20, 26],
      ],
    );
    expect(metadata).toEqual({ k: 'v' });
    expect(decodeSafetensors(file).tensors.a.dtype).toBe('float32');
  });

  it.each([
    ['twice', ['a', 'a'], /two tensors "a"/],
    ['the reserved name', ['__metadata__'], /"__metadata__"/],
  ])('refuses %s', (_, names, message) => {
    const tensors = names.map((name) => ({ name, dtype: 'F32' as const, shape: [1] }));
    expect(() => safetensorsLayout(tensors)).toThrow(message);
  });
});
