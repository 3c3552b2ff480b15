/** A case's train step on this project, through the door that users take: `Trainer.advance`. In Node and in pages. */
import { DataError, treeLeaves, type Backend, type HostArray } from '@meanflow/core';
import { createNetwork, createObjective } from '@meanflow/models';
import { adamW, ema, Trainer } from '@meanflow/training';
import { objectiveConfig, training, type TrainCase } from './cases.js';
import type { Arrays, Workload } from './workload.js';

/** Whether the derivative is taken on every row, as the peers do, or only on those that have r ≠ t. */
export type DerivativeRows = 'all' | 'different';

/** A trainer that repeats the case's batch and draws. */
export function createTrainer(
  backend: Backend,
  { network: config, objective: kind, batch }: TrainCase,
  { params, arrays }: Workload,
  rows: DerivativeRows,
): Promise<Trainer> {
  const network = createNetwork(config);
  const objective = createObjective(objectiveConfig(kind));
  const [x, noise, t, r] = [
    named(arrays, 'x'),
    named(arrays, 'noise'),
    named(arrays, 't'),
    named(arrays, 'r'),
  ];
  const draws = { noise, t, ...(kind !== 'flow-matching' && { r: rows === 'all' ? r : lastRows(t, r) }) };
  return Trainer.create({
    backend,
    network: { ...network, init: () => params },
    objective: { ...objective, draw: () => draws },
    optimizer: adamW(training.optimizer),
    ema: ema({ decays: [training.emaDecay], rampUp: false }),
    data: { batch: () => ({ x }) },
    batchSize: batch,
    seed: 0,
  });
}

/** Makes an update. @returns its loss */
export async function advance(trainer: Trainer): Promise<number> {
  const { loss, metrics } = await trainer.advance();
  const value = (await loss.read()).item();
  for (const scalar of [loss, ...Object.values(metrics)]) scalar.dispose();
  return value;
}

/** The loss of the next step and the norm of its gradient, without making it. */
export async function gradientOf(
  trainer: Trainer,
): Promise<{ readonly loss: number; readonly gradientNorm: number }> {
  using made = await trainer.gradients();
  const { loss, gradients } = await made.read();
  const squares = treeLeaves<HostArray>(gradients).map((leaf) =>
    leaf.to('float32').data.reduce((sum, value) => sum + value ** 2, 0),
  );
  return { loss: loss.item(), gradientNorm: Math.sqrt(squares.reduce((sum, each) => sum + each, 0)) };
}

function named(arrays: Arrays, name: string): HostArray<'float32'> {
  const found = arrays[name];
  if (found === undefined) throw new DataError(`The case has no array "${name}".`);
  return found;
}

/** r of the rows with r ≠ t alone, which are the last. */
function lastRows(t: HostArray<'float32'>, r: HostArray<'float32'>): HostArray<'float32'> {
  const first = t.data.findIndex((value, i) => value !== r.data[i]);
  return r.rows(first, r.size);
}
