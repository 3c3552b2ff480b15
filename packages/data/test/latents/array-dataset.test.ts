/** What is told from an array, what is asked for, and what the options change. */
import { HostArray, RandomKey } from '@meanflow/core';
import { arrayDataset, denormalise, type ArrayOptions, type FileArrays } from '../../src/index.js';

const key = RandomKey.fromSeed(4);
const COUNT = 12;
const open = (arrays: Partial<FileArrays> & Pick<FileArrays, 'latents'>, options: ArrayOptions = {}) =>
  arrayDataset({ isInteger: arrays.latents.dtype === 'int32', ...arrays }, 'a', options, 'a.npz');

/** float32 of this shape from normals, changed by place. */
function floats(
  shape: readonly number[],
  change: (value: number, place: number) => number = (value) => value,
) {
  return new HostArray('float32', shape, key.normal(shape).data.map(change));
}
function ints(shape: readonly number[], most: number): HostArray<'int32'> {
  const uniform = key.uniform(shape).data;
  return new HostArray(
    'int32',
    shape,
    Int32Array.from(uniform, (value) => Math.floor(value * (most + 1))),
  );
}
const labelled = (labels: readonly number[]) =>
  new HostArray(
    'int32',
    [COUNT],
    Int32Array.from({ length: COUNT }, (_, i) => labels[i % labels.length]),
  );

describe('the layout of latents', () => {
  it.each([
    [[4, 8, 8], 'nchw', [8, 8, 4]],
    [[8, 8, 4], 'nhwc', [8, 8, 4]],
    [[16, 8, 8], 'nchw', [8, 8, 16]],
    [[8, 8, 16], 'nhwc', [8, 8, 16]],
    [[4, 6, 9], 'nchw', [6, 9, 4]],
    [[6, 9, 4], 'nhwc', [6, 9, 4]],
    [[4, 4, 8], 'nhwc', [4, 4, 8]],
  ] as const)('of %j is %s', (shape, from, featureShape) => {
    const latents = floats([COUNT, ...shape], (value) => 5 * value);
    const dataset = open({ latents });
    expect(dataset).toMatchObject({ featureShape, reading: { readAs: 'latents', from, form: 'values' } });
    expect(dataset.notes).toContain(`channels ${from === 'nchw' ? 'first' : 'last'} in the file (--layout)`);
    const asked = open({ latents }, { from });
    expect(asked.batch(key, 3, 5)).toEqual(dataset.batch(key, 3, 5));
    expect(asked.notes).not.toContain('--layout');
  });

  it.each([[[8, 8, 8]], [[4, 4, 4]], [[4, 6, 4]], [[4, 2, 3]]])('of %j is asked for', (shape) => {
    const latents = floats([COUNT, ...shape], (value) => 5 * value);
    expect(() => open({ latents })).toThrow(
      'may be channels first or channels last: say which (from: nchw or nhwc; on the command line --layout).',
    );
    expect(open({ latents }, { from: 'nchw' }).featureShape).toEqual([shape[1], shape[2], shape[0]]);
    expect(open({ latents }, { from: 'nhwc' }).featureShape).toEqual(shape);
    expect(open({ latents }, { fromIfUnclear: 'nchw' }).reading).toMatchObject({ from: 'nchw' });
  });

  it('what is clear is not taken otherwise', () => {
    const latents = floats([COUNT, 8, 8, 4], (value) => 5 * value);
    expect(open({ latents }, { fromIfUnclear: 'nchw' }).reading).toMatchObject({ from: 'nhwc' });
  });
});

describe('means and log variances', () => {
  /** Of 8 channels; the second four are `spread` of a normal. */
  const moments = (from: 'nchw' | 'nhwc', side: number, spread: (value: number) => number) => {
    const shape = from === 'nchw' ? [COUNT, 8, side, side] : [COUNT, side, side, 8];
    const isSpread = (place: number): boolean =>
      (from === 'nchw' ? Math.floor(place / (side * side)) % 8 : place % 8) >= 4;
    return floats(shape, (value, place) => (isSpread(place) ? spread(value) : 5 * value));
  };

  it.each(['nchw', 'nhwc'] as const)('in %s are recognised by the name, and asked for without', (from) => {
    for (const side of [6, 8]) {
      for (const [form, spread] of [
        ['log-variance', (value: number) => value - 18],
        ['deviation', (value: number) => Math.exp(value - 9)],
      ] as const) {
        const latents = moments(from, side, spread);
        expect(() => open({ latents, name: 'latents' })).toThrow(
          'say what the channels are (form: values, log-variance or deviation; on the command line --latent-form).',
        );
        const dataset = open({ latents, name: 'moments' });
        expect(dataset).toMatchObject({ featureShape: [side, side, 4], reading: { from, form } });
        const plain = open({ latents }, { form: 'values', from });
        expect(plain.featureShape).toEqual([side, side, 8]);
        // The means, of which draws lie as far as the deviations are, here next to nothing.
        const [drawn, known] = [dataset, plain].map(({ reference }) => reference('test', key, 2).x.data);
        for (let pixel = 0; pixel < 4; pixel++) expect(drawn[4 * pixel]).toBeCloseTo(known[8 * pixel], 2);
      }
    }
  });

  it('that are not what their name says are asked for', () => {
    const latents = floats([COUNT, 8, 6, 6], (value) => 5 * value);
    expect(() => open({ latents, name: 'moments' })).toThrow(
      'the array is called "moments", and does not look like',
    );
    expect(open({ latents, name: 'latents' }).featureShape).toEqual([6, 6, 8]);
  });
});

describe('the deviation of latents', () => {
  const warnings = (factor: number, options: ArrayOptions = {}) =>
    open({ latents: floats([COUNT, 4, 8, 8], (value) => factor * value) }, options).notes?.filter((note) =>
      note.startsWith('WARNING'),
    );

  it('is warned of where it is not about 1', () => {
    expect(warnings(1 / 0.18215)).toEqual([]);
    expect(warnings(1)).toEqual([
      expect.stringMatching(/^WARNING: a deviation of 0.18\d .*--latent-scale none\)$/),
    ]);
    expect(warnings(1, { scale: 'none' })).toEqual([]);
    expect(warnings(5, { scale: 'none' })).toEqual([
      expect.stringContaining('(--latent-scale meanflow or improved-meanflow)'),
    ]);
  });
});

describe('labels', () => {
  const latents = floats([COUNT, 4, 8, 8], (value) => 5 * value);

  it('are classes by the numbers that occur, so that none is never learnt', () => {
    for (const values of [
      [1, 2, 3, 4],
      [0, 1, 5, 9],
      [7, 1000],
    ]) {
      const dataset = open({ latents, labels: labelled(values) });
      expect(dataset).toMatchObject({
        classCount: values.length,
        classNames: values.map(String),
        reading: { labelMeaning: 'distinct' },
      });
      expect(Math.max(...dataset.batch(key, 0, 9).label!.data)).toBe(values.length - 1);
      expect(dataset.notes).toContain(
        `labels from ${values[0]} to ${values[values.length - 1]} are ${values.length} classes, called by them`,
      );
    }
    expect(open({ latents, labels: labelled([0, 1, 2]) }).notes).toHaveLength(2);
  });

  it('are numbers where it is asked for, and then classes may have no row', () => {
    const gaps = { latents, labels: labelled([0, 1, 5]) };
    expect(open(gaps, { labelMeaning: 'numbers' })).toMatchObject({ classCount: 6 });
    expect(open(gaps, { classCount: 10 }).notes).toContain('7 of 10 classes have no row');
    expect(() => open(gaps, { classCount: 5 })).toThrow('a.npz: found the label 5, expected 0 to 4.');
    expect(() => open({ latents, labels: labelled([0, -1]) })).toThrow(
      'found the label -1, expected whole numbers',
    );
  });
});

describe('pictures in an array', () => {
  const bytes = ints([COUNT, 8, 6, 3], 255);
  const first = new HostArray(
    'int32',
    [COUNT, 3, 8, 6],
    Int32Array.from({ length: bytes.size }, (_, i) => {
      const [row, channel, pixel] = [Math.floor(i / 144), Math.floor(i / 48) % 3, i % 48];
      return bytes.data[row * 144 + pixel * 3 + channel];
    }),
  );
  const as = (array: HostArray, change: (value: number) => number) =>
    new HostArray('float32', array.shape, Float32Array.from(array.data, change));

  it.each([
    ['bytes, channels last', bytes, 'nhwc', 'byte'],
    ['bytes, channels first', first, 'nchw', 'byte'],
    ['floats from 0 to 1', as(first, (value) => value / 255), 'nchw', 'unit'],
    ['floats from −1 to 1', as(bytes, (value) => value / 127.5 - 1), 'nhwc', 'signed'],
    ['whole floats', as(bytes, (value) => value), 'nhwc', 'byte'],
  ] as const)('of %s are told, said, and the same', (_, latents, from, range) => {
    const dataset = open({ latents, labels: labelled([1, 2]) });
    expect(dataset).toMatchObject({
      imageShape: [8, 6, 3],
      classNames: ['1', '2'],
      reading: { readAs: 'pictures', from, range },
    });
    expect(dataset.notes?.[0]).toMatch(
      /^pictures, channels (first|last), .* \(--read-as, --layout, --pixel-range\)$/,
    );
    const { x } = dataset.reference('train', RandomKey.fromSeed(0), 100);
    const values = [...denormalise(dataset.normalisation, x).data.subarray(0, 144)].map(Math.round);
    const rows = Array.from({ length: COUNT }, (_, row) => [
      ...bytes.data.subarray(144 * row, 144 * row + 144),
    ]);
    expect(rows).toContainEqual(values);
  });

  it('may be grey, without an axis of channels', () => {
    expect(open({ latents: ints([COUNT, 8, 8], 255) })).toMatchObject({ imageShape: [8, 8, 1] });
  });

  it('are latents where that is asked for, and flips are for pictures', () => {
    expect(open({ latents: bytes }, { readAs: 'latents', from: 'nhwc' })).toMatchObject({
      imageShape: undefined,
    });
    const latents = floats([COUNT, 3, 8, 8]);
    expect(open({ latents }).imageShape).toBeUndefined();
    expect(() => open({ latents }, { flip: true })).toThrow(
      'flips and crops are for pictures, and these are latents',
    );
    expect(open({ latents: bytes }, { flip: true }).imageShape).toEqual([8, 6, 3]);
    expect(() => open({ latents: bytes }, { scale: 'meanflow' })).toThrow(
      'scale is for latents, and these look like pictures',
    );
  });

  it('that could be something else are asked for', () => {
    expect(() => open({ latents: ints([COUNT, 8, 8, 4], 255) })).toThrow(
      'neither pictures of 1 or 3 channels nor floats',
    );
    expect(
      open({ latents: ints([COUNT, 8, 8, 4], 255) }, { readAs: 'latents', scale: 'none' }).featureShape,
    ).toEqual([8, 8, 4]);
    expect(() => open({ latents: ints([COUNT, 8, 8, 3], 1) })).toThrow(
      'say what they are (readAs: latents, or range: byte',
    );
    expect(open({ latents: ints([COUNT, 8, 8, 3], 1) }, { range: 'unit' }).reading).toMatchObject({
      range: 'unit',
    });
    expect(() => open({ latents: ints([COUNT, 8, 8, 3], 300) })).toThrow('from 0 to 300, expected pictures');
    expect(() => open({ latents: bytes }, { range: 'unit' })).toThrow(
      'which are not in the range unit, 0 to 1',
    );
  });
});
