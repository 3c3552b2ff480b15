/** A small model that is trained on the cosine path draws the data, from the same noise as any other. */
import {
  concat,
  cos,
  hostArray,
  hostZeros,
  matmul,
  mul,
  RandomKey,
  referenceBackend,
  reshape,
  sin,
  type HostArray,
} from '@meanflow/core';
import { createObjective } from '@meanflow/models';
import { createSampler, heun, uniformGrid, type VelocityNetwork } from '@meanflow/samplers';
import { adam, Trainer } from '../src/index.js';

const MEAN = 0.75;
const DEVIATION = 0.6;

/** u = a(t) + b(t) z, with a and b of the first harmonics of the path's angle: close to the velocity of Gaussian data. */
const network: VelocityNetwork<{ a: HostArray<'float32'>; b: HostArray<'float32'> }> = {
  featureShape: [1],
  classCount: undefined,
  takesGuidance: false,
  hasVelocityHead: false,
  init: () => ({ a: hostZeros([5, 1]), b: hostZeros([5, 1]) }),
  apply: ({ a, b }, { z, t }) => {
    const angle = reshape(mul(t, Math.PI / 2), z.shape);
    const double = mul(angle, 2);
    const harmonics = concat([mul(angle, 0).add(1), cos(angle), sin(angle), cos(double), sin(double)], 1);
    return { u: matmul(harmonics, a).add(matmul(harmonics, b).mul(z)) };
  },
};

function moments({ data }: HostArray<'float32'>): readonly [mean: number, deviation: number] {
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  return [mean, Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length)];
}

test('its samples have the moments of the data', async () => {
  const backend = referenceBackend();
  await using trainer = await Trainer.create({
    backend,
    network,
    objective: createObjective({ kind: 'flow-matching', path: 'cosine' }),
    data: {
      batch: (key, step, size) => {
        const normal = key.fold(step).normal([size, 1]);
        return { x: hostArray(normal.data.map((value) => MEAN + DEVIATION * value), { shape: [size, 1] }) }; // prettier-ignore
      },
    },
    optimizer: adam({ learningRate: 0.05 }),
    batchSize: 256,
    seed: 5,
  });
  for (let step = 0; step < 150; step++) await trainer.advance();
  await using sampler = createSampler(backend, network);
  const { samples } = await sampler.sample({
    params: await trainer.parameters(),
    noise: RandomKey.fromSeed(6).normal([2000, 1]),
    solver: heun,
    times: uniformGrid(16),
  });
  const [mean, deviation] = moments(samples);
  expect(Math.abs(mean - MEAN)).toBeLessThan(0.05);
  expect(Math.abs(deviation - DEVIATION)).toBeLessThan(0.05);
});
