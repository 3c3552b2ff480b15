/**
 * Train steps: the three objectives, each with its guidance and label drop, for 20 steps of Adam with an average, against
 * the float64 reference. Loss and squared errors of every step, and the whole state after the last: Adam's moments show a
 * wrong scale of a gradient, which its steps do not. Averages of every few steps are left out of the steps between.
 */
import { hostArray, treePaths, type Backend, type HostArray } from '@meanflow/core';
import { createObjective, type ObjectiveConfig } from '@meanflow/models';
import { adam, ema, Trainer } from '@meanflow/training';
import type { BehaviourCase } from '@meanflow/conformance';
import { behaviour, compareOutcome, driftOracle, type NamedArrays } from '@meanflow/conformance/cases';
import { guidedNetwork, smallData, smallNetwork } from './small-model.js';

const STEPS = 20;
/** Of which 20 are no multiple: the last steps are between two updates of the averages. */
const EVERY = 8;
const labelDrop = { probability: 0.2, rows: 'first' } as const;

const OBJECTIVES: readonly ObjectiveConfig[] = [
  { kind: 'flow-matching', labelDrop },
  { kind: 'meanflow', guidance: { omega: 1.5, kappa: 0.4, start: 0.1, end: 0.9 }, labelDrop },
  { kind: 'improved-meanflow', guidance: {}, labelDrop },
];

/** All of them. */
export function trainingCases(): BehaviourCase[] {
  return OBJECTIVES.flatMap((config) => {
    const of = (variant: string, every: number) => {
      const oracle = driftOracle((backend) => trainOn(backend, config, every));
      return behaviour('train step', 'training', `${config.kind}, ${variant}`, async (backend) =>
        compareOutcome(await trainOn(backend, config, every), await oracle()),
      );
    };
    const always = of(`${STEPS} steps`, 1);
    return config.kind === 'meanflow'
      ? [always, of(`${STEPS} steps, averages every ${EVERY}`, EVERY)]
      : [always];
  });
}

async function trainOn(backend: Backend, config: ObjectiveConfig, every: number): Promise<NamedArrays> {
  const trainer = await Trainer.create({
    network: config.kind === 'improved-meanflow' ? guidedNetwork() : smallNetwork(),
    objective: createObjective(config),
    optimizer: adam({ learningRate: 1e-3, beta2: 0.95 }),
    ema: ema({ decays: [0.9], every }),
    data: smallData,
    backend,
    batchSize: 16,
    seed: 3,
  });
  try {
    const curves: Record<string, number[]> = {};
    for await (const { loss, metrics } of trainer.steps({ until: STEPS })) {
      for (const [name, array] of Object.entries({ loss, ...metrics })) {
        (curves[name] ??= []).push((await array.read()).item());
      }
    }
    const { params, optimizer, ema: averages } = await trainer.snapshot();
    const leaves = treePaths<HostArray>({ params, optimizer, ema: averages });
    return {
      ...Object.fromEntries(Object.entries(curves).map(([name, values]) => [name, hostArray(values)])),
      ...Object.fromEntries(leaves.map(({ path, leaf }) => [path, leaf])),
    };
  } finally {
    await trainer.dispose();
  }
}
