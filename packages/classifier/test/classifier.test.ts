import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ortBackend } from '@meanflow/backend-ort';
import { DataError, RandomKey, referenceBackend, trace, hostZeros, type Backend } from '@meanflow/core';
import { openDataset, shapesDataset } from '@meanflow/data';
import { encodeSafetensors } from '@meanflow/formats';
import { openDataset as openDatasetFromDisk } from '@meanflow/data/node';
import { classAccuracy } from '@meanflow/metrics';
import {
  Classifier,
  classifierNetwork,
  classifierRequest,
  decodeClassifier,
  encodeClassifier,
  trainClassifier,
  type ClassifierModel,
} from '../src/index.js';
import { cachedClassifier, dataFingerprint, loadClassifier, saveClassifier } from '../src/node.js';

const shapes = shapesDataset({ side: 16 });
const tiny = { data: shapes, steps: 3, batchSize: 4, network: { width: 8, featureCount: 6 } };
const config = {
  imageShape: [16, 16, 3],
  layout: 'nhwc',
  classCount: 10,
  width: 8,
  featureCount: 6,
} as const;

/** An untrained classifier. */
const untrained: ClassifierModel = {
  ...classifierRequest(tiny),
  heldOutAccuracy: 0.1,
  params: classifierNetwork(config).init(RandomKey.fromSeed(1)),
};

describe('classifierNetwork', () => {
  it('makes features and logits of images in either layout, the same', async () => {
    const image = (layout: 'nhwc' | 'nchw') => shapesDataset({ layout }).batch(RandomKey.fromSeed(2), 0, 3).x;
    const outputs = [];
    for (const layout of ['nhwc', 'nchw'] as const) {
      const model = { ...untrained, config: { ...config, layout } };
      const classifier = await Classifier.create(model, referenceBackend(), { batchSize: 3 });
      outputs.push(await classifier.extract(image(layout)));
      await classifier.dispose();
    }
    expect(outputs[0].features.shape).toEqual([3, 6]);
    expect(outputs[0].logits.shape).toEqual([3, 10]);
    expect(outputs[1]).toEqual(outputs[0]);
  });

  it('has a stage for each halving down to four to seven pixels', () => {
    const stages = (side: number) =>
      classifierNetwork({ ...config, imageShape: [side, side, 3] }).init(RandomKey.fromSeed(0)).convolutions
        .length / 2;
    expect([4, 8, 12, 15, 16, 28, 32].map(stages)).toEqual([1, 2, 2, 1, 3, 3, 4]);
  });

  it('refuses sides that cannot be halved, and sizes that are none', () => {
    expect(() => classifierNetwork({ ...config, imageShape: [34, 34, 3] })).toThrow('got [34, 34, 3]');
    expect(() => classifierNetwork({ ...config, imageShape: [2, 2, 3] })).toThrow('4 … 15 pixels');
    expect(() => classifierNetwork({ ...config, width: 0.5 })).toThrow('width is a positive whole number');
    expect(() => classifierNetwork({ ...config, layout: 'chwn' as 'nchw' })).toThrow('got "chwn"');
  });
});

describe('Classifier', () => {
  it('judges any number of images, each for itself', async () => {
    const { x } = shapes.batch(RandomKey.fromSeed(3), 0, 5);
    const classifier = await Classifier.create(untrained, referenceBackend(), { batchSize: 2 });
    const all = await classifier.extract(x);
    const last = await classifier.extract(x.rows(4, 5));
    expect(all.logits.shape).toEqual([5, 10]);
    expect(last.logits.data).toEqual(all.logits.rows(4, 5).data);
    await expect(classifier.extract(hostZeros([2, 3, 16, 16]))).rejects.toThrow(
      'takes images [count, 16, 16, 3], got [2, 3, 16, 16]',
    );
    await classifier.dispose();
  });
});

describe('dataFingerprint', () => {
  it('is that of the images, the classes and the files they come from, however the images lie', () => {
    const of = (changes: object) => dataFingerprint({ ...shapes, ...changes });
    const print = of({});
    expect(print).toMatch(/^[0-9a-f]{64}$/);
    expect(dataFingerprint(shapesDataset({ side: 16 }))).toBe(print);
    expect(dataFingerprint(shapesDataset({ side: 16, layout: 'nchw' }))).toBe(print);
    const others = [
      dataFingerprint(shapesDataset({ side: 12 })),
      dataFingerprint(shapes, 'of other files'),
      of({ classCount: 11 }),
      of({ reference: (_: string, key: RandomKey, count: number) => shapes.reference('test', key, count) }),
    ];
    expect(new Set([print, ...others]).size).toBe(1 + others.length);
  });
});

describe('trainClassifier', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await ortBackend({ ort: () => import('onnxruntime-node'), device: 'cpu', threads: 1 });
  });
  afterAll(() => backend.dispose());

  it('gives the same classifier for the same seed, another for another', async () => {
    const [first, again, other] = [
      await trainClassifier({ ...tiny, backend }),
      await trainClassifier({ ...tiny, backend }),
      await trainClassifier({ ...tiny, backend, seed: 1 }),
    ];
    expect(again).toEqual(first);
    expect(other!.params.logits.kernel.data).not.toEqual(first!.params.logits.kernel.data);
  });

  it('learns: a few steps on shapes leave chance behind, and the kept accuracy is that of held-out images', async () => {
    const model = await trainClassifier({
      data: shapes,
      backend,
      steps: 150,
      batchSize: 64,
      network: { width: 16 },
    });
    expect(model!.heldOutAccuracy).toBeGreaterThan(0.4);
    const classifier = await Classifier.create(model!, backend);
    const { x, label } = shapes.reference('test', RandomKey.fromSeed(9), 1000);
    const accuracy = classAccuracy((await classifier.extract(x)).logits, label!);
    await classifier.dispose();
    // Four standard deviations of a difference between shares of 1,000 and 2,000 images.
    expect(Math.abs(accuracy - model!.heldOutAccuracy)).toBeLessThan(
      4 * Math.sqrt(0.25 / 1000 + 0.25 / 2000),
    );
  });

  it('takes images that are flattened, as the digits are', async () => {
    const digits = await openDatasetFromDisk('digits');
    const model = await trainClassifier({ ...tiny, data: digits, backend });
    expect(model!.config).toMatchObject({ imageShape: [8, 8, 1], layout: 'nhwc', classCount: 10 });
    const classifier = await Classifier.create(model!, backend);
    const { x } = digits.reference('test', RandomKey.fromSeed(0), 3);
    const flat = await classifier.extract(x);
    expect(flat.logits.data).toEqual((await classifier.extract(x.reshape([3, 8, 8, 1]))).logits.data);
    await classifier.dispose();
  });

  it('stops when it is told to', async () => {
    expect(await trainClassifier({ ...tiny, backend, signal: { aborted: true } })).toBeUndefined();
  });

  it('refuses data without images or classes', async () => {
    const [plane, digits] = [await openDataset('rings'), { ...shapes, classCount: undefined }];
    expect(() => classifierRequest({ data: plane })).toThrow(
      '"8-gaussians" holds no images'.replace('8-gaussians', 'rings'),
    );
    expect(() => classifierRequest({ data: digits })).toThrow('holds no classes of images 16,16,3');
  });

  it('is kept in a file and comes back; a file of another is not overwritten', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'meanflow-classifier-'));
    const path = join(folder, 'made', 'classifier.safetensors');
    const model = await cachedClassifier(path, { ...tiny, backend });
    const bytes = await readFile(path);
    expect(await loadClassifier(path)).toEqual(model);
    expect(await cachedClassifier(path, { ...tiny, backend })).toEqual(model);
    await expect(cachedClassifier(path, { ...tiny, backend, seed: 3 })).rejects.toThrow(
      'holds another classifier than the one asked for',
    );
    await expect(cachedClassifier(path, { ...tiny, backend, fingerprint: 'other' })).rejects.toThrow(
      '"fingerprint":"other"',
    );
    expect(await readFile(path)).toEqual(bytes);
    await writeFile(path, bytes.subarray(0, bytes.length - 5));
    await expect(cachedClassifier(path, { ...tiny, backend })).rejects.toThrow('the file is truncated');
    await expect(loadClassifier(join(folder, 'none'))).rejects.toThrow('cannot be read');
    const saved = saveClassifier(join(path, 'below', 'a.safetensors'), model!);
    await expect(saved).rejects.toThrow(DataError);
    await expect(saved).rejects.toThrow('cannot be written');
    await rm(folder, { recursive: true });
  });
});

describe('encodeClassifier', () => {
  it('is undone by decodeClassifier', async () => {
    expect(await decodeClassifier(encodeClassifier(untrained), 'c.safetensors')).toEqual(untrained);
  });

  it('is refused where metadata and tensors do not fit, before anything is allocated', async () => {
    const { params, ...facts } = untrained;
    const file = (changed: object, format = 'meanflow-classifier') =>
      encodeSafetensors(
        { only: params.logits.kernel },
        {
          format,
          classifier: JSON.stringify({ version: 1, ...facts, ...changed }),
        },
      );
    const refusal = (bytes: Uint8Array) => expect(decodeClassifier(bytes, 'c.safetensors')).rejects;
    await refusal(file({}, 'else')).toThrow('has format "else"');
    await refusal(file({ version: 9 })).toThrow('does not describe a classifier of version 1');
    await refusal(file({ steps: -1 })).toThrow('does not describe');
    await refusal(file({ config: { imageShape: 5 } })).toThrow('names no network');
    await refusal(file({ config: { ...config, width: 1e6 } })).toThrow(
      '"convolutions/0/bias" is missing, expected F32',
    );
    await refusal(file({})).toThrow('c.safetensors is a damaged classifier');
    await refusal(file({ version: 2 })).toThrow('a classifier of version 2 has checksums, and it has none');
  });

  it('has checksums', async () => {
    const bytes = encodeClassifier(untrained);
    for (let at = 0; at < bytes.length; at += 97) {
      const damaged = bytes.slice();
      damaged[at] ^= 4;
      await expect(decodeClassifier(damaged, 'c.safetensors')).rejects.toThrow(DataError);
    }
  });
});

it('is traced into a graph whose size does not depend on the batch', () => {
  const size = (batch: number) =>
    trace(({ x, params }) => classifierNetwork(config).apply(params, x), {
      x: hostZeros([batch, 16, 16, 3]),
      params: untrained.params,
    }).graph.instructions.length;
  expect(size(1)).toBe(size(7));
});

it('has the accuracy that it has on held-out images', async () => {
  await using backend = await ortBackend({ ort: () => import('onnxruntime-node'), device: 'cpu' });
  const model = (await trainClassifier({ ...tiny, backend }))!;
  const { x, label } = shapes.reference('test', RandomKey.fromSeed(0).fold('classifier'), 2000);
  const classifier = await Classifier.create(model, backend);
  const { logits } = await classifier.extract(x);
  await classifier.dispose();
  expect(model.heldOutAccuracy).toBe(classAccuracy(logits, label!));
});
