/** `evaluate --features` and `statistics`: samples judged by an ONNX file, as FID is. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportOnnx } from '@meanflow/backend-ort';
import { add, hostArray, HostArray, mean, mul, RandomKey, reshape, spec, trace } from '@meanflow/core';
import { encodePng, shapesDataset } from '@meanflow/data';
import { encodeNpy, encodeNpz } from '@meanflow/formats';
import { decodeStatistics, featureStatistics, frechetDistanceOfStatistics } from '@meanflow/metrics';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { png } from './support/images.js';
import { writeJson } from './support/tiny.js';

const folder = temporaryFolder();
const onnx = folder.path.bind(folder, 'features.onnx');
const unit = (): string[] => [
  '--features',
  onnx(),
  '--features-range',
  'unit',
  '--features-output',
  'features',
];
const BATCH = 16;

/** The mean of each quarter's channels, 12 features of 16×16 pixels; twice these as logits. */
function quarters(images: HostArray): HostArray<'float32'> {
  const count = images.shape[0];
  const found = new Float32Array(count * 12);
  images.data.forEach((value, at) => {
    const [image, y, x, channel] = [
      Math.floor(at / 768),
      Math.floor(at / 48) % 16,
      Math.floor(at / 3) % 16,
      at % 3,
    ];
    found[image * 12 + (Math.floor(y / 8) * 2 + Math.floor(x / 8)) * 3 + channel] += value / 64;
  });
  return new HostArray('float32', [count, 12], found);
}

const eightBit = (images: HostArray): HostArray<'float32'> =>
  new HostArray(
    'float32',
    images.shape,
    Float32Array.from(images.data, (v) => Math.max(0, Math.min(255, Math.floor(127.5 * v + 128))) / 255),
  );

beforeAll(async () => {
  const traced = trace(
    ({ images }) => {
      const parts = reshape(images, [BATCH, 2, 8, 2, 8, 3]);
      const features = reshape(mean(parts, [2, 4]), [BATCH, 12]);
      return { features, logits: add(mul(features, 2), 0) };
    },
    { images: spec([BATCH, 16, 16, 3]) },
    { name: 'quarters' },
  );
  const { model } = exportOnnx(traced.graph, {
    inputs: { images: 'images' },
    outputs: { features: 'features', logits: 'logits' },
    parameters: {},
    dataFile: 'features.data',
  });
  await writeFile(onnx(), [...model.chunks()]);
  const config = await writeJson(folder.path('shapes.json'), {
    data: 'shapes',
    steps: 2,
    batch: 4,
    network: { kind: 'dit', patchSize: 8, width: 16, depth: 1, heads: 2 },
    sampling: { nfe: [1, 2] },
    evaluation: { samples: 40, metrics: ['frechet'] },
  });
  await succeed('train', '--config', config, '--out', folder.path('shapes'));
});

it('writes statistics that published codes read, of as many images as were asked for', async () => {
  const out = folder.path('made', 'shapes.npz');
  const { err } = await succeed('statistics', 'shapes', ...unit(), '--count', '100', '--out', out);
  expect(err).toContain('100 images of shapes, 12 features');
  const { mean: mu, covariance } = await decodeStatistics(await readFile(out), out);
  const { x } = shapesDataset().batch(RandomKey.fromSeed(0).fold('statistics'), 0, 100);
  const expected = featureStatistics(quarters(eightBit(x)));
  mu.data.forEach((value, i) => expect(value).toBeCloseTo(expected.mean.data[i], 5));
  covariance.data.forEach((value, i) => expect(value).toBeCloseTo(expected.covariance.data[i], 5));
});

it('looks at a folder of images of any size, which need no classes', async () => {
  const photos = folder.path('photos');
  await mkdir(photos);
  for (let i = 0; i < 6; i++) await writeFile(join(photos, `${i}.png`), png(i, 20 + i));
  const out = folder.path('photos.npz');
  const { err } = await succeed('statistics', photos, ...unit(), '--image-size', '16', '--out', out);
  expect(err).toContain('5 images of photos, 12 features');
  const all = await succeed(
    'statistics',
    photos,
    ...unit(),
    '--image-size',
    '16',
    '--held-out',
    '0',
    '--out',
    out,
  );
  expect(all.err).toContain('6 images of photos, 12 features');
  const samples = folder.path('drawn.npz');
  const pixels = new HostArray('int32', [20, 16, 16, 3], new Int32Array(20 * 768).fill(100));
  await writeFile(samples, encodeNpz({ arr_0: pixels }));
  await succeed('evaluate', samples, ...unit(), '--data', photos, '--image-size', '16');
  expect(await meanflow('statistics', 'shapes', ...unit(), '--image-size', '8')).toMatchObject({
    status: 2,
    err: expect.stringContaining('does not apply to the data "shapes"') as string,
  });
});

it('reads an array of images as samples and as data to compare with, and asks for what it does not say', async () => {
  // Whole numbers of 0 and 1: black and white, or the darkest bytes?
  const { x } = shapesDataset().reference('test', RandomKey.fromSeed(8), 40);
  const bits = new HostArray(
    'int32',
    x.shape,
    Int32Array.from(x.data, (value) => Number(value > 0)),
  );
  const data = folder.path('bits.npy');
  await writeFile(data, encodeNpy(bits));
  const args = ['statistics', data, ...unit(), '--held-out', '0', '--out', folder.path('bits.npz')];
  const asked = await meanflow(...args);
  expect(asked).toMatchObject({ status: 1, out: '' });
  expect(asked.err).toContain('on the command line --read-as, --pixel-range');
  const { err } = await succeed(...args, '--pixel-range', 'unit');
  expect(err).toContain('pictures, channels last, 0 to 1');
  const { mean: mu } = await decodeStatistics(await readFile(folder.path('bits.npz')), 'bits.npz');
  const signed = Float32Array.from(bits.data, (value) => 2 * value - 1);
  const expected = featureStatistics(quarters(eightBit(new HostArray('float32', x.shape, signed))));
  mu.data.forEach((value, i) => expect(value).toBeCloseTo(expected.mean.data[i], 5));

  const evaluated = ['evaluate', data, ...unit(), '--data', data, '--pixel-range', 'unit', '--json'];
  const { results } = JSON.parse((await succeed(...evaluated)).out);
  expect(results[0].metrics['feature-frechet']).toBeLessThan(0.1);
  const stray = await meanflow('evaluate', data, ...unit(), '--data', 'shapes', '--image-size', '16');
  expect(stray).toMatchObject({ status: 2, out: '' });
  expect(stray.err).toContain('--image-size says how a folder of images is read');
  const model = ['evaluate', folder.path('shapes'), ...unit(), '--layout', 'nchw'];
  expect((await meanflow(...model)).err).toContain('--layout says how an array of pictures is read');
  const absent = await meanflow('evaluate', folder.path('absent.npy'), ...unit(), '--data', 'shapes');
  expect(absent).toMatchObject({ status: 1, out: '' });
  expect(absent.err).toContain('absent.npy" cannot be read: there is no such file');
});

it('judges a file of images against statistics, with the value that they have by hand', async () => {
  const { x } = shapesDataset().reference('test', RandomKey.fromSeed(7), 50);
  const bytes = hostArray(
    eightBit(x).data.map((v) => Math.round(255 * v)),
    { dtype: 'int32', shape: x.shape },
  );
  await writeFile(folder.path('images.npz'), encodeNpz({ arr_0: bytes }));
  await writeFile(folder.path('floats.npz'), encodeNpz({ arr_0: x }));
  const unitFloats = new HostArray('float32', x.shape, eightBit(x).data);
  await writeFile(folder.path('unit.npz'), encodeNpz({ arr_0: unitFloats }));
  // Channels first, and another name.
  const turned = Float32Array.from({ length: x.size }, (_, i) => {
    const [image, channel, pixel] = [Math.floor(i / 768), Math.floor(i / 256) % 3, i % 256];
    return unitFloats.data[image * 768 + pixel * 3 + channel];
  });
  await writeFile(folder.path('first.npy'), encodeNpy(new HostArray('float32', [50, 3, 16, 16], turned)));
  await mkdir(folder.path('drawn', 'deep'), { recursive: true });
  for (let i = 0; i < 50; i++) {
    const data = Uint8Array.from(bytes.data.subarray(768 * i, 768 * (i + 1)));
    const path = folder.path('drawn', i % 2 ? 'deep' : '', `${i}.png`);
    await writeFile(path, encodePng({ width: 16, height: 16, channels: 3, data }));
  }
  const reference = await decodeStatistics(await readFile(folder.path('made', 'shapes.npz')), 'shapes.npz');
  const expected = frechetDistanceOfStatistics(featureStatistics(quarters(eightBit(x))), reference);
  for (const file of ['images.npz', 'floats.npz', 'unit.npz', 'first.npy', 'drawn']) {
    const args = [
      'evaluate',
      folder.path(file),
      ...unit(),
      '--statistics',
      folder.path('made', 'shapes.npz'),
    ];
    const { results } = JSON.parse((await succeed(...args, '--json')).out);
    expect(results).toEqual([{ samples: 50, metrics: { 'feature-frechet': expect.closeTo(expected, 6) } }]);
    expect((await succeed(...args)).out).toMatch(/NFE +feature Fréchet ↓\n/);
  }
  const against = ['--statistics', folder.path('made', 'shapes.npz')];
  expect((await succeed('evaluate', folder.path('unit.npz'), ...unit(), ...against)).err).toContain(
    'unit.npz: "arr_0" holds pictures, channels last, from 0 to 1 (--layout, --pixel-range say otherwise).',
  );
  // The same numbers as bytes are all but black.
  const darker = await succeed('evaluate', folder.path('unit.npz'), ...unit(), ...against, '--pixel-range', 'signed', '--json'); // prettier-ignore
  expect(JSON.parse(darker.out).results[0].metrics['feature-frechet']).toBeGreaterThan(2 * expected);
  await writeFile(folder.path('either.npz'), encodeNpz({ arr_0: hostArray(bytes.data.map((v) => v % 2), { dtype: 'int32', shape: x.shape }) })); // prettier-ignore
  expect(await meanflow('evaluate', folder.path('either.npz'), ...unit(), ...against)).toMatchObject({
    status: 1,
    err: expect.stringContaining(
      'say what black and white are (--pixel-range byte, unit or signed)',
    ) as string,
  });
});

it('judges a run against its own data, at each number of evaluations, by any metric on features', async () => {
  const names = [
    'feature-frechet',
    'class-frechet',
    'inception-score',
    'precision',
    'recall',
    'density',
    'coverage',
  ];
  const metrics = ['--metrics', names.join(','), '--logits-output', 'logits', '--samples', '120'];
  const args = ['evaluate', folder.path('shapes'), ...unit(), ...metrics, '--json'];
  const { out } = await succeed(...args);
  const { results, reference } = JSON.parse(out);
  expect(reference).toBe('shapes');
  expect(results.map(({ nfe }: { nfe: number }) => nfe)).toEqual([1, 2]);
  for (const { metrics: scores, samples } of results) {
    expect(samples).toBe(120);
    expect(Object.keys(scores)).toEqual(names);
    expect(Object.values(scores).every(Number.isFinite)).toBe(true);
  }
  expect((await succeed(...args)).out).toBe(out);
});

it('says what is missing, and what does not fit', async () => {
  const refusal = async (status: number, ...args: string[]): Promise<string> => {
    const found = await meanflow(...args);
    expect({ status: found.status, out: found.out }).toEqual({ status, out: '' });
    return found.err;
  };
  const run = folder.path('shapes');
  const images = folder.path('images.npz');
  const statistics = ['--statistics', folder.path('made', 'shapes.npz')];
  expect(await refusal(2, 'evaluate', images)).toContain('was not trained here');
  expect(await refusal(2, 'evaluate', images, ...unit())).toContain('--statistics or --data');
  expect(await refusal(2, 'evaluate', images, ...unit(), ...statistics, '--nfe', '1')).toContain(
    '--nfe is for models',
  );
  const interval = ['--guidance-interval', '0.4,0.65'];
  expect(await refusal(2, 'evaluate', images, ...unit(), ...statistics, ...interval)).toContain(
    '--guidance-interval is for models',
  );
  expect(await refusal(2, 'evaluate', images, ...unit(), '--data', 'digits')).toContain(
    '16 × 16 × 3, "digits" has 8 × 8 × 1',
  );
  expect(await refusal(2, 'evaluate', run, ...statistics)).toContain('--statistics goes with --features');
  expect(await refusal(2, 'evaluate', run, '--features', onnx(), '--features-range', 'unit')).toContain(
    'The model has the outputs "features", "logits"',
  );
  expect(await refusal(2, 'evaluate', run, ...unit(), ...statistics, '--metrics', 'precision')).toContain(
    'not statistics alone',
  );
  expect(
    await refusal(2, 'evaluate', run, ...unit(), ...statistics, '--metrics', 'inception-score'),
  ).toContain('--logits-output');
  expect(await refusal(2, 'statistics', 'two-moons', ...unit())).toContain('"two-moons" has none');
  expect(await refusal(1, 'evaluate', run, ...unit(), '--statistics', images)).toContain('images.npz');
  const wrong = folder.path('wrong.npz');
  await writeFile(wrong, encodeNpz({ arr_0: hostArray([[1, 2]], { dtype: 'int32' }) }));
  expect(await refusal(1, 'evaluate', wrong, ...unit(), ...statistics)).toContain('expected images [count');
});

it('draws a model with conditions for the held-out rows', async () => {
  const run = folder.path('low');
  const config = folder.path('shapes.json');
  await succeed('train', '--config', config, '--task', 'inpaint', '--out', run);
  const args = [run, ...unit(), '--samples', '60', '--nfe', '1', '--json'];
  const { out } = await succeed('evaluate', ...args);
  const { results } = JSON.parse(out) as { results: { samples: number; metrics: object }[] };
  expect(results).toMatchObject([{ samples: 60, metrics: { 'feature-frechet': expect.any(Number) as number } }]);
  // Half of each image is the truth: an untrained model is nearer to the data than one that is given nothing.
  const plain = await succeed('evaluate', folder.path('shapes'), ...args.slice(1));
  const scoreOf = (text: string): number =>
    (JSON.parse(text) as { results: { metrics: Record<string, number> }[] }).results[0]!.metrics['feature-frechet']!;
  expect(scoreOf(out)).toBeLessThan(0.7 * scoreOf(plain.out));
}); // prettier-ignore
