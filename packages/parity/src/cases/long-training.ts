/**
 * 200 train steps of each objective, with a warm-up, a cosine and decoupled weight decay, and samples of what was learned:
 * the loss of every step, parameters, moments and averages after the last, and the ends of one and two sampling steps are
 * those of the float64 reference within the stated drift (`stated-drift.ts`).
 */
import {
  hostArray,
  RandomKey,
  referenceBackend,
  treePaths,
  type Backend,
  type HostArray,
} from '@meanflow/core';
import { createObjective, type ObjectiveConfig } from '@meanflow/models';
import { averageVelocity, createSampler, euler, uniformGrid } from '@meanflow/samplers';
import { adamW, cosineSchedule, ema, Trainer, warmUpSchedule } from '@meanflow/training';
import type { BehaviourCase, Expectation } from '@meanflow/conformance';
import { compareOutcome, type NamedArrays } from '@meanflow/conformance/cases';
import { shallowNetwork, smallData } from './small-model.js';
import { statedDrift, type DriftingObjective, type DriftingQuantity } from './stated-drift.js';

const LONG_STEPS = 200;
const WARM_UP = 20;
const labelDrop = { probability: 0.2, rows: 'first' } as const;

const CONFIGS: { readonly [K in DriftingObjective]: ObjectiveConfig & { readonly kind: K } } = {
  'flow-matching': { kind: 'flow-matching', labelDrop },
  meanflow: { kind: 'meanflow', guidance: { omega: 1.5, kappa: 0.4, start: 0.1, end: 0.9 }, labelDrop },
  'improved-meanflow': { kind: 'improved-meanflow', guidance: {}, tangent: 'boundary', labelDrop },
};
const OBJECTIVES = Object.keys(CONFIGS) as DriftingObjective[];

/** All of them. */
export function longTrainingCases(): BehaviourCase[] {
  return OBJECTIVES.map((objective) => {
    let known: Promise<Readonly<Record<string, Expectation>>> | undefined;
    const oracle = () => (known ??= expectedOutcome(objective));
    return {
      kind: 'behaviour',
      id: `${LONG_STEPS} train steps: ${objective}, and samples`,
      op: `${LONG_STEPS} train steps`,
      aspect: 'training',
      features: [],
      check: async (backend) => compareOutcome(await trainAndSample(backend, objective), await oracle()),
    };
  });
}

async function expectedOutcome(objective: DriftingObjective): Promise<Record<string, Expectation>> {
  const exact = await trainAndSample(referenceBackend(), objective);
  const entries = Object.entries(exact).map(([name, value]): [string, Expectation] => {
    const drift = statedDrift[objective][quantityOf(name)];
    return [name, { value, tolerance: new Float64Array(value.size).fill(drift) }];
  });
  return Object.fromEntries(entries);
}

/** The row of the table that an array of the outcome belongs to. */
export function quantityOf(name: string): DriftingQuantity {
  if (name.startsWith('optimizer/')) return name.includes('/mean') ? 'mean' : 'variance';
  return name.split('/')[0] as DriftingQuantity;
}

/**
 * The run: `loss` of shape `[200]`, then everything in the trainer's state by path, then samples of shape `[6, 2]`,
 * `samples/1` of one step and `samples/2` of two.
 */
export async function trainAndSample(backend: Backend, objective: DriftingObjective): Promise<NamedArrays> {
  const network = shallowNetwork(objective === 'improved-meanflow');
  const learningRate = warmUpSchedule(cosineSchedule(3e-3, 3e-4, LONG_STEPS - WARM_UP), WARM_UP, 3e-4);
  const trainer = await Trainer.create({
    network,
    objective: createObjective(CONFIGS[objective]),
    optimizer: adamW({ learningRate, beta2: 0.95, weightDecay: 0.01 }),
    ema: ema({ decays: [0.9] }),
    data: smallData,
    backend,
    batchSize: 16,
    seed: 3,
  });
  try {
    const loss: number[] = [];
    for (let i = 0; i < LONG_STEPS; i++) {
      const result = await trainer.advance();
      loss.push((await result.loss.read()).item());
      for (const array of [result.loss, ...Object.values(result.metrics)]) array.dispose();
    }
    const { params, optimizer, ema: averages } = await trainer.snapshot();
    const state = treePaths<HostArray>({ params, optimizer, ema: averages });
    return {
      loss: hostArray(loss),
      ...Object.fromEntries(state.map(({ path, leaf }) => [path, leaf])),
      ...(await sampleWith(backend, objective, params)),
    };
  } finally {
    await trainer.dispose();
  }
}

type Network = ReturnType<typeof shallowNetwork>;

async function sampleWith(
  backend: Backend,
  objective: DriftingObjective,
  params: ReturnType<Network['init']>,
): Promise<NamedArrays> {
  const sampler = createSampler(backend, shallowNetwork(objective === 'improved-meanflow'));
  const request = {
    params,
    noise: RandomKey.fromSeed(5).normal([6, 2]),
    label: hostArray(Int32Array.of(0, 1, 2, 2, 1, 0), { dtype: 'int32' }),
    solver: objective === 'flow-matching' ? euler : averageVelocity,
    ...(objective === 'improved-meanflow' && { condition: { omega: 2, tMin: 0.1, tMax: 0.9 } }),
  };
  try {
    const drawn: Record<string, HostArray> = {};
    for (const steps of [1, 2]) {
      drawn[`samples/${steps}`] = (await sampler.sample({ ...request, times: uniformGrid(steps) })).samples;
    }
    return drawn;
  } finally {
    await sampler.dispose();
  }
}
