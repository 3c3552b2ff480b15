import { readFileSync } from 'node:fs';
import { DataError, hostArray, hostZeros, RandomKey } from '@meanflow/core';
import { zipSync } from 'fflate';
import { decodeNpy, decodeNpz, encodeNpy, encodeNpz } from '../src/index.js';

const read = (file: string) => new Uint8Array(readFileSync(new URL(`data/${file}`, import.meta.url)));

describe('decodeNpz', () => {
  it.each(['stored.npz', 'compressed.npz'])('reads %s as NumPy wrote it', async (file) => {
    const arrays = await decodeNpz(read(file), file);
    const content = Object.fromEntries(
      Object.entries(arrays).map(([name, { dtype, shape, data }]) => [name, [dtype, shape, [...data]]]),
    );
    expect(content).toEqual({
      f8: ['float64', [2, 2], [1.5, -2.25, 1e300, 0.1]],
      f4: ['float32', [1, 2, 3], [0, 1, 2, 3, 4, 5].map((value) => Math.fround(value / 7))],
      f2: ['float32', [4], [1, -2.5, 2 ** -24, Infinity]],
      i8: ['int32', [2], [-5, 2 ** 31 - 1]],
      u1: ['int32', [2], [0, 255]],
      b1: ['bool', [2], [1, 0]],
      scalar: ['float64', [], [3.5]],
      empty: ['float32', [0, 4], []],
      column_major: ['float64', [2, 3, 4], Array.from({ length: 24 }, (_, i) => i)],
      big_endian: ['int32', [2], [1, 256]],
    });
  });

  it('reads only what is asked for, and says what is there when that is missing', async () => {
    expect(Object.keys(await decodeNpz(read('stored.npz'), 's', { names: ['f4', 'b1'] }))).toEqual([
      'f4',
      'b1',
    ]);
    await expect(decodeNpz(read('stored.npz'), 's.npz', { names: ['mu'] })).rejects.toThrow(
      's.npz: there is no array "mu"; it holds f8, f4, f2',
    );
    // What is not asked for may be anything.
    expect(await decodeNpz(read('objects.npz'), 'o', { names: [] })).toEqual({});
  });

  it('refuses objects, complex numbers and integers that do not fit, and runs nothing', async () => {
    await expect(decodeNpz(read('objects.npz'), 'o.npz')).rejects.toThrow(
      'objects are a pickle, which is not run',
    );
    await expect(decodeNpz(read('complex.npz'), 'c.npz')).rejects.toThrow('dtype "<c16"');
    await expect(decodeNpz(read('wide.npz'), 'w.npz')).rejects.toThrow(
      'Tensor "a" holds 1099511627776 at element 0, which does not fit into int32',
    );
  });

  it('refuses a file that is cut short, anywhere', async () => {
    for (const file of ['stored.npz', 'compressed.npz']) {
      const bytes = read(file);
      for (const length of [0, 3, 21, 22, 500, bytes.length >> 1, bytes.length - 30, bytes.length - 1]) {
        await expect(decodeNpz(bytes.subarray(0, length), 'cut.npz')).rejects.toThrow(DataError);
      }
    }
  });

  it('refuses every damaged byte of an array', async () => {
    const bytes = encodeNpz({ mu: RandomKey.fromSeed(1).normal([20]) }, { compress: true });
    const start = new TextDecoder('latin1').decode(bytes).indexOf('mu.npy') + 6;
    for (let at = start; at < start + 60; at++) {
      const damaged = bytes.slice();
      damaged[at] ^= 0x10;
      await expect(decodeNpz(damaged, 'd.npz')).rejects.toThrow(DataError);
    }
  });

  it('does not unpack a bomb', async () => {
    const bomb = zipSync({ 'a.npy': [new Uint8Array(2_000_000), { level: 9 }] });
    expect(bomb.length).toBeLessThan(5000);
    await expect(decodeNpz(bomb, 'bomb.npz', { maxBytes: 1_000_000 })).rejects.toThrow(
      'unpack to 2000000 bytes, more than the 1000000 bytes that are allowed',
    );
    // A directory that promises more than deflate can hold is not believed, one that promises less is caught.
    const view = new DataView(bomb.buffer, bomb.byteOffset);
    const sizeAt = new TextDecoder('latin1').decode(bomb).lastIndexOf('PK\x01\x02') + 24;
    view.setUint32(sizeAt, 0x7fffffff, true);
    await expect(decodeNpz(bomb, 'bomb.npz')).rejects.toThrow('which no archive can');
    view.setUint32(sizeAt, 1000, true);
    await expect(decodeNpz(bomb, 'bomb.npz')).rejects.toThrow(
      'its deflate data expands to more than the 1000 bytes',
    );
  });
});

describe('decodeNpy', () => {
  const header = (text: string, data = 0, length = text.length) => {
    const bytes = new Uint8Array(10 + text.length + data);
    bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 255, length >> 8]);
    bytes.set(new TextEncoder().encode(text), 10);
    return bytes;
  };
  const fields = (shape: string, descr = "'<f4'") =>
    `{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }\n`;

  it('refuses a header that lies about shapes, before anything is allocated', async () => {
    for (const shape of ['(1000000000, 1000000000)', '(99999999999999999999,)', '(3,)', '(1,)']) {
      await expect(decodeNpy(header(fields(shape), 8), 'a.npy')).rejects.toThrow(DataError);
    }
    await expect(decodeNpy(header(fields('(3,)'), 8), 'a.npy')).rejects.toThrow(
      'a.npy: an array F32[3] takes 12 bytes, found 8: the file is cut short.',
    );
    await expect(decodeNpy(header(fields('(1,)'), 8), 'a.npy')).rejects.toThrow(
      'the file is longer than it says',
    );
    expect((await decodeNpy(header(fields('(2,)'), 8), 'a.npy')).shape).toEqual([2]);
  });

  it('refuses what is no npy file', async () => {
    const refusal = (bytes: Uint8Array) => expect(decodeNpy(bytes, 'a.npy')).rejects;
    await refusal(new Uint8Array(0)).toThrow('does not begin with the magic of NumPy');
    await refusal(new TextEncoder().encode('hello world')).toThrow('does not begin');
    await refusal(header(fields('(2,)'), 8, 5000)).toThrow('its header has 5000 bytes');
    await refusal(header("{'shape': (2,)}")).toThrow('its header gives no dtype');
    await refusal(header(fields('(2,)', "[('a', '<f4')]"), 8)).toThrow('its header gives no');
    await refusal(header(fields('(-2,)'), 8)).toThrow('its header gives no');
    const future = header(fields('(2,)'), 8);
    future[6] = 9;
    await refusal(future).toThrow('its version is 9');
  });
});

describe('encodeNpz', () => {
  const arrays = {
    features: RandomKey.fromSeed(0).normal([3, 2]),
    mu: hostArray([1e-300, 2], { dtype: 'float64' }),
    labels: hostArray([1, -2], { dtype: 'int32' }),
    mask: hostArray([1, 0], { dtype: 'bool' }),
    none: hostZeros([0, 3]),
    one: hostZeros([]),
  };

  it.each([false, true])(
    'comes back (compress: %s), with its names and the same bytes each time',
    async (compress) => {
      const bytes = encodeNpz(arrays, { compress });
      expect(await decodeNpz(bytes, 'a.npz')).toEqual(arrays);
      expect(encodeNpz(Object.fromEntries(Object.entries(arrays).reverse()), { compress })).toEqual(bytes);
      expect(() => encodeNpz({ '': arrays.mu })).toThrow('needs a name');
    },
  );

  it('begins elements at a multiple of 64, as NumPy does', async () => {
    for (const { shape } of Object.values(arrays)) {
      const array = hostZeros(shape, 'float64');
      expect((encodeNpy(array).length - array.data.byteLength) % 64).toBe(0);
    }
  });
});
