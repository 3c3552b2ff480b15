/**
 * Completes wines of which three measurements are known: MeanFlow learns the ten other columns for what these are, and draws
 * them in one network evaluation. The condition is optional, so that the same network draws wines of which nothing is known.
 *
 *     npm run build && node examples/dist/wine-given.js [steps]
 */
import { ortBackend } from '@meanflow/backend-ort';
import { HostArray, RandomKey } from '@meanflow/core';
import { givenColumns } from '@meanflow/data';
import { openDataset } from '@meanflow/data/node';
import { energyDistance } from '@meanflow/metrics';
import { meanFlow, mlp } from '@meanflow/models';
import { averageVelocity, createSampler } from '@meanflow/samplers';
import { adam, cosineSchedule, Trainer, train } from '@meanflow/training';

const steps = Number(process.argv[2] ?? 2000);
const wines = await openDataset('wine', { heldOut: 0.4 });
const data = givenColumns(wines, ['alcohol', 'flavanoids', 'proline']);
const backend = await ortBackend({ ort: () => import('onnxruntime-node'), device: 'cpu' });
const network = mlp({
  kind: 'mlp',
  featureShape: data.featureShape,
  conditions: { given: { kind: 'vector', shape: [3], optional: true } },
  width: 64,
  depth: 3,
  embedding: { kind: 'fourier', frequencies: 1 },
});
const trainer = await Trainer.create({
  backend,
  network,
  objective: meanFlow({
    kind: 'meanflow',
    intervals: { t: { kind: 'uniform' }, equalShare: 0.5 },
    weight: { power: 0.5, epsilon: 0.01 },
    conditionDrop: { given: 0.2 },
  }),
  optimizer: adam({ learningRate: cosineSchedule(2e-3, 0, steps), beta2: 0.95 }),
  data: {
    batch: (key, step, size) => {
      const { x, conditions } = data.batch(key, step, size);
      return { x, conditions };
    },
  },
  batchSize: 128,
  seed: 0,
});
await train(trainer, { steps });

const key = RandomKey.fromSeed(1);
const { x, conditions } = data.reference('test', key, 1000);
const given = conditions!.given!;
const params = await trainer.parameters();
const sampler = createSampler(backend, network);
const DRAWS = 20;

/** Ten columns for each row of the given ones, `DRAWS` times, in one evaluation. */
async function draws(of: HostArray<'float32'> | undefined): Promise<HostArray<'float32'>[]> {
  const rows = x.shape[0]!;
  return Promise.all(
    Array.from({ length: DRAWS }, async (_, i) => {
      const noise = key
        .fold('noise')
        .fold(i)
        .normal([rows, ...data.featureShape]);
      const conditions = of && { given: of };
      const request = { params, noise, solver: averageVelocity, times: [1, 0], conditions };
      return (await sampler.sample(request)).samples;
    }),
  );
}

/** All 13 columns: the given ones, and what was drawn for them. */
function whole(rest: HostArray<'float32'>, beside = given): HostArray<'float32'> {
  const rows = Array.from({ length: rest.shape[0]! }, (_, row) => [
    ...beside.rows(row, row + 1).data,
    ...rest.rows(row, row + 1).data,
  ]);
  return new HostArray('float32', [rows.length, 13], Float32Array.from(rows.flat()));
}

const order = key.fold('shuffle').permutation(x.shape[0]!);
const shuffledRows = Array.from(order, (row) => [...given.rows(row, row + 1).data]);
const shuffled = new HostArray('float32', given.shape, Float32Array.from(shuffledRows.flat()));
const drawn = { given: await draws(given), shuffled: await draws(shuffled), nothing: await draws(undefined) };

const held = whole(x);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value / values.length, 0);
/** Of whole rows, given and drawn, from wines that were held out; in standard deviations of a column. */
export const distance = {
  given: mean(drawn.given.map((rest) => energyDistance(whole(rest), held))),
  shuffled: mean(drawn.shuffled.map((rest) => energyDistance(whole(rest), held))),
  nothing: mean(drawn.nothing.map((rest) => energyDistance(whole(rest), held))),
  floor: mean(
    Array.from({ length: DRAWS }, (_, i) => {
      const fresh = data.reference('train', key.fold('floor').fold(i), x.shape[0]!);
      return energyDistance(whole(fresh.x, fresh.conditions!.given!), held);
    }),
  ),
};

/** How far the mean of the draws is from the truth, as a root of the mean square over the ten columns. */
function errorOfMean(sets: readonly HostArray<'float32'>[]): number {
  const squares = Array.from(x.data, (truth, i) => (mean(sets.map(({ data }) => data[i]!)) - truth) ** 2);
  return Math.sqrt(mean(squares));
}
export const error = {
  given: errorOfMean(drawn.given),
  shuffled: errorOfMean(drawn.shuffled),
  nothing: errorOfMean(drawn.nothing),
};
const show = (values: Readonly<Record<string, number>>) =>
  Object.entries(values).map(([name, value]) => `${name} ${value.toFixed(3)}`).join(', '); // prettier-ignore
console.log(`Energy distance of 13 columns from ${x.shape[0]} held-out wines: ${show(distance)}`);
console.log(`Error of the mean of ${DRAWS} draws: ${show(error)}`);
await backend.dispose();
