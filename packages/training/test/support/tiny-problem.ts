/** The smallest real training problem: MeanFlow on a ring of points with a two-layer perceptron. */
import { HostArray, type Backend, type Precision, type RandomKey } from '@meanflow/core';
import { meanFlow, mlp, type MlpParameters } from '@meanflow/models';
import {
  adamW,
  chain,
  clipByGlobalNorm,
  ema,
  Trainer,
  warmUpSchedule,
  type BeginProgress,
  type Ema,
  type GradientTransform,
} from '../../src/index.js';

/** Points on the unit circle. */
export const ring = {
  batch(key: RandomKey, step: number, size: number) {
    const angles = key.fold(step).uniform([size], 0, 2 * Math.PI);
    const x = new Float32Array(2 * size);
    angles.data.forEach((angle, i) => x.set([Math.cos(angle), Math.sin(angle)], 2 * i));
    return { x: new HostArray('float32', [size, 2], x) };
  },
};

export const tinyNetwork = (width = 8) =>
  mlp({
    kind: 'mlp',
    featureShape: [2],
    width,
    depth: 2,
    embedding: { kind: 'fourier', frequencies: 2 },
  });

export interface TinyOptions {
  readonly seed?: number;
  readonly width?: number;
  readonly batchSize?: number;
  readonly optimizer?: GradientTransform;
  readonly ema?: Ema;
  readonly precision?: Precision;
  readonly onProgress?: (progress: BeginProgress) => void;
}

/** A trainer of the tiny problem. */
export function tinyTrainer(backend: Backend, options: TinyOptions = {}): Promise<Trainer<MlpParameters>> {
  const { seed = 1, width, batchSize = 8, precision, onProgress } = options;
  return Trainer.create({
    backend,
    network: tinyNetwork(width),
    objective: meanFlow(),
    data: ring,
    optimizer:
      options.optimizer ??
      chain(clipByGlobalNorm(1), adamW({ learningRate: warmUpSchedule(1e-2, 3), weightDecay: 0.01 })),
    ema: options.ema ?? ema({ decays: [0.5, 0.9] }),
    batchSize,
    seed,
    precision,
    onProgress,
  });
}
