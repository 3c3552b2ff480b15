/**
 * Completes digits of which a rectangle is hidden, in one network evaluation: the known pixels are an image condition, and a mask
 * says where they are. Nothing tells the network which digit it is.
 *
 *     npm run build && node examples/dist/inpaint-digits.js [steps] [picture.png]
 */
import { writeFile } from 'node:fs/promises';
import { ortBackend } from '@meanflow/backend-ort';
import { Classifier, trainClassifier } from '@meanflow/classifier';
import { HostArray, RandomKey } from '@meanflow/core';
import { imageGrid, inpainting, restoreKnown } from '@meanflow/data';
import { openDataset } from '@meanflow/data/node';
import { classAccuracy } from '@meanflow/metrics';
import { meanFlow, residualMlp } from '@meanflow/models';
import { averageVelocity, createSampler } from '@meanflow/samplers';
import { adam, cosineSchedule, Trainer, train } from '@meanflow/training';

const steps = Number(process.argv[2] ?? 4000);
const picture = process.argv[3];
const digits = await openDataset('digits');
const data = inpainting(digits);
const { known, mask } = data.conditions!;
const backend = await ortBackend({ ort: () => import('onnxruntime-node'), device: 'cpu' });
const network = residualMlp({
  kind: 'residual-mlp',
  featureShape: data.featureShape,
  conditions: {
    known: { kind: 'image', shape: known!.shape },
    mask: { kind: 'mask', shape: mask!.shape },
  },
  width: 128,
  depth: 3,
  embedding: { kind: 'fourier', frequencies: 1 },
});
const trainer = await Trainer.create({
  backend,
  network,
  objective: meanFlow({
    kind: 'meanflow',
    intervals: { t: { kind: 'uniform' }, equalShare: 0.5 },
    weight: { power: 0.25, epsilon: 0.01 },
  }),
  optimizer: adam({ learningRate: cosineSchedule(2e-3, 0, steps), beta2: 0.95 }),
  data: {
    batch: (key, step, size) => {
      const { x, conditions } = data.batch(key, step, size);
      return { x, conditions };
    },
  },
  batchSize: 256,
  seed: 0,
});
await train(trainer, { steps });

const key = RandomKey.fromSeed(1);
const { x, label, conditions } = data.reference('test', key, 1000);
const rows = x.shape[0]!;
const params = await trainer.parameters();
const sampler = createSampler(backend, network);
const noise = key.fold('noise').normal([rows, ...data.featureShape]);

/** Held-out digits with what was drawn for the conditions in place of what is hidden. */
async function completed(given: Readonly<Record<string, HostArray>>): Promise<HostArray<'float32'>> {
  const request = { params, noise, solver: averageVelocity, times: [1, 0], conditions: given };
  const { samples } = await sampler.sample(request);
  return restoreKnown(samples, conditions, data.imageShape);
}

/** The conditions of the next row. */
const shifted = Object.fromEntries(
  Object.entries(conditions!).map(([name, array]) => {
    const size = array.size / rows;
    const rolled = Float32Array.from([...array.data.subarray(size), ...array.data.subarray(0, size)]);
    return [name, new HostArray('float32', array.shape, rolled)];
  }),
);
const images = {
  'one step': await completed(conditions!),
  'shuffled conditions': await completed(shifted),
  'nothing drawn': restoreKnown(new HostArray('float32', x.shape, new Float32Array(x.size)), conditions, data.imageShape),
  truth: x,
}; // prettier-ignore

/** The root of the mean square over hidden pixels, of values from 0 to 16. */
function hiddenError(image: HostArray<'float32'>): number {
  const hidden = conditions!.mask!.data;
  let [sum, count] = [0, 0];
  x.data.forEach((truth, i) => {
    if (hidden[i] === 1) return;
    sum += (8 * (image.data[i]! - truth)) ** 2;
    count++;
  });
  return Math.sqrt(sum / count);
}

const judge = await trainClassifier({ backend, data: digits, steps: Math.min(600, steps) });
const classifier = await Classifier.create(judge!, backend);
const results: Record<string, { readonly error: number; readonly accuracy: number }> = {};
for (const [name, image] of Object.entries(images)) {
  const { logits } = await classifier.extract(image);
  results[name] = { error: hiddenError(image), accuracy: classAccuracy(logits, label!) };
}
export { results };
for (const [name, { error, accuracy }] of Object.entries(results)) {
  console.log(`${name}: error of hidden pixels ${error.toFixed(2)} of 16, class accuracy ${(100 * accuracy).toFixed(1)} %`);
} // prettier-ignore

if (picture !== undefined) {
  // Eight triples to a line: what is known, what was drawn, the truth.
  const shown = Array.from({ length: 48 }, (_, row) =>
    [images['nothing drawn'], images['one step'], x].flatMap((image) => [...image.rows(row, row + 1).data]),
  );
  const grid = new HostArray('float32', [48 * 3, 64], Float32Array.from(shown.flat()));
  await writeFile(picture, imageGrid(grid, { imageShape: [8, 8, 1], across: 24, scale: 4 }));
}
await classifier.dispose();
await backend.dispose();
