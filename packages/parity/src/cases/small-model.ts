/** A small model for whole-procedure cases: a perceptron with classes, guidance and a velocity head, and data for it. */
import { HostArray, RandomKey } from '@meanflow/core';
import { mlp, type MlpConfig } from '@meanflow/models';

const CONFIG: MlpConfig = {
  kind: 'mlp',
  featureShape: [2],
  width: 16,
  depth: 2,
  embedding: { kind: 'fourier', frequencies: 2 },
  classCount: 3,
  velocityHead: { depth: 1 },
};

/** For flow matching and MeanFlow. */
export const smallNetwork = () => mlp(CONFIG);
/** With guidance scale and interval as conditions, for improved MeanFlow. */
export const guidedNetwork = () => mlp({ ...CONFIG, times: 'h', guidance: true });

export interface SmallBatch {
  readonly x: HostArray<'float32'>;
  readonly label: HostArray<'int32'>;
}

/** One layer and no velocity head, for many steps; conditioned on guidance when asked for. */
export const shallowNetwork = (isGuided: boolean) => {
  const { velocityHead: _, ...config } = CONFIG;
  return mlp({ ...config, depth: 1, ...(isGuided && { times: 'h', guidance: true }) });
};

/** Three Gaussians in the plane, by class. */
export const smallData = {
  batch(key: RandomKey, step: number, size: number): SmallBatch {
    const at = key.fold(step);
    const label = at.fold('label').integers([size], 0, 3);
    const noise = at.fold('x').normal([size, 2]);
    const x = Float32Array.from(noise.data, (n, i) => {
      const angle = (2 * Math.PI * label.data[i >> 1]!) / 3;
      return 0.2 * n + (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
    });
    return { x: new HostArray('float32', [size, 2], x), label };
  },
};

/** The network's initial parameters. */
export const smallKey = (): RandomKey => RandomKey.fromSeed(11);
