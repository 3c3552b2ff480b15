import { hostArray, hostZeros, RandomKey } from '@meanflow/core';
import { onnxFeatureExtractor, type OnnxFeatureOptions, type OrtRuntime } from '../src/index.js';
import { gridSize, writeImages } from '../src/onnx-images.js';
import { readJson } from './read-test-data.js';

interface Fed {
  readonly type: string;
  readonly data: Float32Array | Uint8Array;
  readonly dims: readonly number[];
}

const { image, resized } = readJson<{
  image: number[];
  resized: { size: [number, number]; values: number[] }[];
}>('resize.json');

/** A runtime whose model returns the mean and the first value of each image, and notes what it was fed. */
function runtime(shape: (number | string)[], type = 'float32', outputs = ['features']) {
  const fed: Fed[] = [];
  let released = 0;
  const ort: OrtRuntime<Fed> = {
    Tensor: class implements Fed {
      constructor(
        readonly type: 'float32' | 'uint8',
        readonly data: Float32Array | Uint8Array,
        readonly dims: readonly number[],
      ) {}
    },
    InferenceSession: {
      create: async (model) => {
        if (model === 'broken.onnx') throw new Error('protobuf parsing failed');
        return {
          inputMetadata: [{ name: 'x', isTensor: true, type, shape }],
          outputMetadata: outputs.map((name) => ({ name, isTensor: true })),
          release: async () => void released++,
          run: async (feeds, fetches) => {
            const tensor = feeds.x;
            fed.push(tensor);
            const size = tensor.data.length / tensor.dims[0];
            const rows = Array.from({ length: tensor.dims[0] }, (_, i) =>
              tensor.data.slice(i * size, (i + 1) * size),
            );
            const values = rows.flatMap((row) => [Array.from(row).reduce((a, b) => a + b, 0) / size, row[0]]);
            return Object.fromEntries(
              fetches.map((name) => [
                name,
                { dims: [rows.length, 2, 1, 1], data: Float32Array.from(values) },
              ]),
            );
          },
        };
      },
    },
  };
  return { ort, fed, released: () => released };
}

const images = RandomKey.fromSeed(1).uniform([5, 4, 4, 3], -1, 1);
const base = { model: 'm.onnx', imageShape: [4, 4, 3], layout: 'nhwc' } as const;
const open = (ort: OrtRuntime<Fed>, options: Partial<OnnxFeatureOptions<Fed>> = {}) =>
  onnxFeatureExtractor({ ...base, ort, ...options });

describe('writeImages', () => {
  it.each(resized)('resizes to $size as PyTorch does', ({ size: [height, width], values }) => {
    const source = { height: 5, width: 4, channels: 3, layout: 'nchw' } as const;
    const signed = image.map((value) => (value - 127.9) / 127.5);
    const [nchw, nhwc] = (['nchw', 'nhwc'] as const).map((layout) => {
      const target = { height, width, channels: 3, layout };
      const into = new Float64Array(gridSize(target));
      writeImages(signed, source, target, { mean: [0, 0, 0], deviation: [1 / 255, 1 / 255, 1 / 255] }, into);
      return into;
    });
    nchw.forEach((value, i) => expect(value).toBeCloseTo(values[i], 9));
    nhwc.forEach((value, i) => {
      const [pixel, channel] = [Math.floor(i / 3), i % 3];
      expect(value).toBe(nchw[channel * height * width + pixel]);
    });
  });

  it('takes 8 bits as the published codes do: ⌊127.5·x + 128⌋ within 0 … 255', () => {
    const grid = { height: 1, width: 5, channels: 1, layout: 'nhwc' } as const;
    const into = new Uint8Array(5);
    writeImages([-1.2, -1, 0, 0.999, 1.5], grid, grid, undefined, into);
    expect([...into]).toEqual([0, 0, 128, 255, 255]);
  });
});

describe('onnxFeatureExtractor', () => {
  it('feeds a model of fixed size in its layout and range, batch by batch, and drops what fills the last', async () => {
    const { ort, fed, released } = runtime([2, 3, 8, 8]);
    const extractor = await open(ort, { range: 'signed' });
    const { features, logits } = await extractor.extract(images);
    expect(features.shape).toEqual([5, 2]);
    expect(logits).toBeUndefined();
    expect(fed.map(({ dims, type }) => [...dims, type])).toEqual(
      [1, 2, 3].map(() => [2, 3, 8, 8, 'float32']),
    );
    const alone = await extractor.extract(images.rows(3, 4));
    expect(alone.features.data).toEqual(features.rows(3, 4).data);
    // The first value is the corner's red, through 8 bits.
    const red = Math.floor(127.5 * images.data[3 * 48] + 128);
    expect(alone.features.data[1]).toBeCloseTo(red / 127.5 - 1, 6);
    await extractor.dispose();
    expect(released()).toBe(1);
  });

  it('feeds bytes to a model of bytes, and leaves free sizes as the images are', async () => {
    const { ort, fed } = runtime(['N', 'height', 'width', 3], 'uint8');
    await (await open(ort, { batchSize: 5 })).extract(images);
    expect(fed).toHaveLength(1);
    expect(fed[0].dims).toEqual([5, 4, 4, 3]);
    expect(fed[0].data).toEqual(Uint8Array.from(images.data, (value) => Math.floor(127.5 * value + 128)));
  });

  it('scales to each range', async () => {
    const white = hostArray(new Float32Array(48).fill(1), { shape: [1, 4, 4, 3] });
    const first = async (range: OnnxFeatureOptions['range']) => {
      const { ort } = runtime(['N', 3, 4, 4]);
      return (await (await open(ort, { range })).extract(white)).features.data[1];
    };
    expect(await first('byte')).toBeCloseTo(255, 4);
    expect(await first('unit')).toBe(1);
    expect(await first('signed')).toBe(1);
    expect(await first('imagenet')).toBeCloseTo((1 - 0.485) / 0.229, 5);
  });

  it('repeats a grey image for a model of three channels', async () => {
    const { ort, fed } = runtime([1, 3, 2, 2]);
    const extractor = await open(ort, { imageShape: [2, 2, 1], range: 'unit' });
    await extractor.extract(hostArray([-1, -1, 1, 1], { shape: [1, 2, 2, 1] }));
    expect([...fed[0].data]).toEqual([0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1]);
  });

  it('returns logits where they are wanted', async () => {
    const { ort } = runtime([1, 3, 4, 4], 'float32', ['features', 'logits']);
    const extractor = await open(ort, { range: 'unit', output: 'features', logitsOutput: 'logits' });
    expect((await extractor.extract(images)).logits!.shape).toEqual([5, 2]);
  });

  it.each<[string, (number | string)[], string, string[], object, string]>([
    ['a float model without a range', [1, 3, 4, 4], 'float32', ['f'], {}, 'give range, one of byte, unit'],
    ['another range for bytes', [1, 3, 4, 4], 'uint8', ['f'], { range: 'unit' }, 'The model takes bytes'],
    [
      'a layout that cannot be told',
      ['N', 'a', 'b', 'c'],
      'float32',
      ['f'],
      { range: 'unit' },
      'give inputLayout',
    ],
    ['3 pixels by 3 channels', [1, 3, 4, 3], 'float32', ['f'], { range: 'unit' }, 'give inputLayout'],
    [
      'another size than the fixed one',
      [1, 3, 8, 8],
      'float32',
      ['f'],
      { range: 'unit', inputSize: [4, 8] },
      'takes a height of 8, got 4',
    ],
    [
      'another batch',
      [2, 3, 8, 8],
      'float32',
      ['f'],
      { range: 'unit', batchSize: 3 },
      'takes a batch size of 2, got 3',
    ],
    [
      'a size that is none',
      ['N', 3, 'h', 'w'],
      'float32',
      ['f'],
      { range: 'unit', inputSize: [0, 8] },
      'positive whole number, got 0',
    ],
    [
      'colours for a grey model',
      [1, 1, 4, 4],
      'float32',
      ['f'],
      { range: 'unit' },
      'takes images of 1 channels, these have 3',
    ],
    [
      'an input that is no image',
      [1, 10],
      'float32',
      ['f'],
      { range: 'unit' },
      'one input of images with four axes',
    ],
    ['half precision', [1, 3, 4, 4], 'float16', ['f'], { range: 'unit' }, 'float32 or uint8'],
    [
      'several outputs',
      [1, 3, 4, 4],
      'float32',
      ['a', 'b'],
      { range: 'unit' },
      'outputs "a", "b": give the one',
    ],
    [
      'an unknown output',
      [1, 3, 4, 4],
      'float32',
      ['a'],
      { range: 'unit', output: 'c' },
      'no output "c"; it has "a"',
    ],
  ])('refuses %s, and releases the session', async (_, shape, type, outputs, options, message) => {
    const { ort, released } = runtime(shape, type, outputs);
    await expect(open(ort, options)).rejects.toThrow(message);
    expect(released()).toBe(1);
  });

  it('refuses a file that is no model, and images of another shape', async () => {
    const { ort } = runtime(['N', 3, 4, 4]);
    await expect(open(ort, { model: 'broken.onnx' })).rejects.toThrow(
      'broken.onnx cannot be opened as an ONNX model: protobuf parsing failed.',
    );
    const extractor = await open(ort, { range: 'unit' });
    await expect(extractor.extract(hostZeros([1, 3, 4, 4]))).rejects.toThrow(
      '[count, 4, 4, 3], got [1, 3, 4, 4]',
    );
    await expect(open(ort, { imageShape: [4, 4, 2] as never })).rejects.toThrow('[height, width, 1 or 3]');
  });
});
