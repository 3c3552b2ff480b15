/** A feature extractor of an ONNX file on the real runtime: the classifier, exported, gives what it gives as itself. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportOnnx } from '@meanflow/backend-ort';
import { classifierNetwork } from '@meanflow/classifier';
import { HostArray, mul, RandomKey, spec, sub, trace, treePaths } from '@meanflow/core';
import { interpret } from '@meanflow/core/backend';
import { shapesDataset } from '@meanflow/data';
import { onnxFeatureExtractor } from '@meanflow/metrics';
import * as ort from 'onnxruntime-node';

const BATCH = 4;
const network = classifierNetwork({
  imageShape: [16, 16, 3],
  layout: 'nhwc',
  classCount: 10,
  width: 8,
  featureCount: 6,
});
const params = network.init(RandomKey.fromSeed(0));
const inputs = { params, x: spec([BATCH, 16, 16, 3]) };
/** Takes 0 … 1. */
const traced = trace(({ params: at, x }) => network.apply(at, sub(mul(x, 2), 1)), inputs, {
  name: 'features',
});
const exported = exportOnnx(traced.graph, {
  inputs: { x: 'images' },
  outputs: { features: 'features', logits: 'logits' },
  parameters: Object.fromEntries(treePaths<HostArray>({ params }).map(({ path, leaf }) => [path, leaf])),
  dataFile: 'features.data',
});
const model = new Uint8Array(Buffer.concat([...exported.model.chunks()]));
const options = { ort, imageShape: [16, 16, 3], layout: 'nhwc', range: 'unit' } as const;

it('agrees with the interpreter, from a file and from bytes, for images in either layout', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'meanflow-onnx-'));
  const path = join(folder, 'features.onnx');
  await writeFile(path, model);
  const { x } = shapesDataset().batch(RandomKey.fromSeed(1), 0, BATCH);
  const bytes = x.data.map((value) => Math.max(0, Math.min(255, Math.floor(127.5 * value + 128))) / 255);
  const eightBit = new HostArray('float32', x.shape, bytes);
  const expected = interpret(traced.graph, {
    x: eightBit,
    ...Object.fromEntries(treePaths<HostArray>({ params }).map(({ path: name, leaf }) => [name, leaf])),
  });
  const shaped = shapesDataset({ layout: 'nchw' }).batch(RandomKey.fromSeed(1), 0, BATCH).x;
  for (const [images, changes] of [
    [x, { model: path }],
    [x, { model }],
    [shaped, { model, layout: 'nchw' }],
  ] as const) {
    const extractor = await onnxFeatureExtractor({
      ...options,
      output: 'features',
      logitsOutput: 'logits',
      ...changes,
    });
    const { features, logits } = await extractor.extract(images);
    expect(features.shape).toEqual([BATCH, 6]);
    features.data.forEach((value, i) => expect(value).toBeCloseTo(expected.features.data[i], 4));
    logits!.data.forEach((value, i) => expect(value).toBeCloseTo(expected.logits.data[i], 4));
    const one = await extractor.extract(images.rows(2, 3));
    one.features.data.forEach((value, i) => expect(value).toBeCloseTo(features.data[12 + i], 5));
    await extractor.dispose();
  }
  await rm(folder, { recursive: true });
});

it('says what it needs to know of this model, and refuses what is none', async () => {
  await expect(onnxFeatureExtractor({ ...options, model })).rejects.toThrow(
    'The model has the outputs "features", "logits"',
  );
  await expect(onnxFeatureExtractor({ ...options, model, range: undefined })).rejects.toThrow('give range');
  await expect(onnxFeatureExtractor({ ...options, model: Uint8Array.of(1, 2, 3) })).rejects.toThrow(
    'the model cannot be opened as an ONNX model',
  );
  await expect(onnxFeatureExtractor({ ...options, model: 'nowhere.onnx' })).rejects.toThrow(
    'nowhere.onnx cannot be opened as an ONNX model',
  );
});
