/** A training problem in one number, of which every step is known in closed form. */
import { hostArray, mean, type HostArray, type Objective, type Symbolic } from '@meanflow/core';
import { ema, sgd, Trainer, type BatchSource, type ScheduleLike } from '../../src/index.js';
import { float32Backend } from './float32-backend.js';

/** A "network" that is one number, 4 at first, to be brought to the mean of the data. */
export const numberNetwork = { init: () => ({ w: hostArray(4) }) };
export type Numbers = { readonly x: HostArray };
/** What its losses look at. */
export type NumberInputs = {
  readonly params: Symbolic<{ w: HostArray }>;
  readonly batch: Symbolic<Numbers>;
};
export const squaredDistance = {
  name: 'squared distance',
  draw: () => ({}),
  loss: ({ params: { w }, batch: { x } }: NumberInputs) => {
    const distance = w.sub(x);
    return { loss: mean(distance.mul(distance)), metrics: { distance: mean(distance) } };
  },
};
type NumberObjective = Objective<typeof numberNetwork, { w: HostArray }, Numbers, object>;
export const dataFrom = (values: (step: number) => number[]): BatchSource<Numbers> => ({
  batch: (_, step) => ({ x: hostArray(values(step)) }),
});

/** @param values the data of each step, two numbers */
export const numberTrainer = (
  values: (step: number) => number[],
  learningRate: ScheduleLike = 0.25,
  decays = [0.5],
  options: {
    readonly guarded?: boolean;
    readonly network?: typeof numberNetwork;
    readonly objective?: NumberObjective;
  } = {},
) =>
  Trainer.create({
    backend: float32Backend(),
    network: numberNetwork,
    objective: squaredDistance,
    data: dataFrom(values),
    optimizer: sgd({ learningRate }),
    ema: ema({ decays, rampUp: false }),
    batchSize: 2,
    seed: 0,
    ...options,
  });
