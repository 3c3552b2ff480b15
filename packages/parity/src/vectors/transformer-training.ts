/**
 * The cases `*-train`: a few updates by the project's trainer at given batches and draws, with an average of the parameters.
 * What becomes of the parameters, of the average, of the losses and of the learning rate is compared.
 */
import { DataError, HostArray, type DeviceArray, type Objective } from '@meanflow/core';
import type { AnyNetwork, ParameterTree } from '@meanflow/models';
import type { PublishedParameter } from '@meanflow/models/published';
import {
  adamW,
  cosineSchedule,
  ema,
  emaKey,
  Trainer,
  warmUpSchedule,
  type Schedule,
} from '@meanflow/training';
import { compareOutputs, compareTensor } from './compare-outputs.js';
import { compareParameters, type LooseRange } from './compare-parameters.js';
import {
  at,
  numberOf,
  numberOr,
  tensorOf,
  type ParityCase,
  type ParityRunner,
  type TensorResult,
} from './parity-case.js';
import { publishedNetwork } from './published-network.js';
import { flatTree } from './run-graph.js';
import { tolerances } from './tolerances.js';
import { transformerConfig, type TransformerFamily } from './transformer-config.js';
import { givenStep, type GivenStep } from './transformer-draws.js';
import { publishedObjective } from './transformer-objectives.js';

export const transformerTraining =
  (family: TransformerFamily): ParityRunner =>
  async (given, backend) => {
    const { network, params, names } = publishedNetwork(given, transformerConfig(family, given));
    const count = tensorOf(given, 'in/img').shape[0]!;
    const steps = Array.from({ length: count }, (_, step) => givenStep(given, family !== 'mf', step));
    const rate = learningRate(given);
    const decay = numberOf(given, 'ema', 'decay');
    // The draws of a step are asked for right after its batch, of which the trainer keeps a copy.
    let asked = steps[0]!;
    const trainer = await Trainer.create({
      network: { ...network, init: () => params },
      objective: givenObjective(family, given, () => asked.draws),
      optimizer: adamW({
        learningRate: rate,
        beta1: numberOr(given, 0.9, 'optimizer', 'b1'),
        beta2: numberOr(given, 0.95, 'optimizer', 'b2'),
        epsilon: numberOr(given, 1e-8, 'optimizer', 'eps'),
        weightDecay: numberOr(given, 0, 'optimizer', 'weight_decay'),
      }),
      ema: ema({ decays: [decay], rampUp: false }),
      backend,
      data: { batch: (_, step) => (asked = steps[step]!).batch },
      batchSize: steps[0]!.batch.x.shape[0]!,
      seed: 0,
    });
    try {
      const losses: Readonly<Record<string, HostArray>>[] = [];
      for (let step = 0; step < count; step++) {
        const { loss, metrics } = await trainer.advance();
        losses.push(await readAll({ loss, ...metrics }));
      }
      const comparison = {
        tolerance: family === 'mf' ? tolerances.trainedMeanFlow : tolerances.trainedImprovedMeanFlow,
        loose:
          family === 'mf'
            ? keyBias(steps.reduce((total, _, step) => total + rate(step), 0))
            : () => undefined,
      };
      const [final, average] = [await trainer.parameters(), await trainer.parameters(emaKey(decay))];
      const { 'out/lr': rates, ...others } = given.tensors;
      return [
        ...compareOutputs({ ...given, tensors: others }, stackedByName(losses), tolerances.output),
        ...(rates === undefined ? [] : [compareRates(rates, rate)]),
        ...compareParameters(given, names, flatTree(final), {
          whole: 'final',
          norm: 'finalnorm',
          ...comparison,
        }),
        ...compareParameters(given, names, flatTree(average), {
          whole: 'ema',
          norm: 'emanorm',
          ...comparison,
        }),
      ];
    } finally {
      await trainer.dispose();
    }
  };

/** The objective with the case's draws for its own, and the published metrics that the case records. */
function givenObjective(
  family: TransformerFamily,
  given: ParityCase,
  draw: () => GivenStep['draws'],
): Objective<AnyNetwork, ParameterTree, GivenStep['batch'], GivenStep['draws']> {
  const objective = publishedObjective(family, given);
  return {
    name: given.name,
    draw,
    loss: (inputs) => {
      const { loss, ...terms } = objective(inputs);
      const recorded = Object.entries(terms).filter(([name]) => given.tensors[`out/${name}`] !== undefined);
      return { loss, metrics: Object.fromEntries(recorded) };
    },
  };
}

/** @throws {DataError} when the case names a schedule that is none of the published ones */
function learningRate(given: ParityCase): Schedule {
  const base = numberOr(given, numberOr(given, 1e-4, 'optimizer', 'base_lr'), 'optimizer', 'lr');
  const kind = at(given.facts, ['optimizer', 'lr_schedule']) ?? 'constant';
  if (kind === 'constant') return warmUpSchedule(base, 0);
  const steps = numberOr(given, 0, 'optimizer', 'warmup_steps');
  if (kind === 'warmup_const') return warmUpSchedule(base, steps);
  if (kind === 'warmup_cosine') {
    // The published code subtracts the warm-up from the steps of a schedule that itself counts the warm-up among them.
    const decay = Math.max(numberOf(given, 'optimizer', 'total_steps') - steps, 1) - steps;
    const last = base * numberOr(given, 0, 'optimizer', 'lr_min_factor');
    return warmUpSchedule(cosineSchedule(base, last, decay), steps);
  }
  throw new DataError(`${given.name}.json: no published schedule is called ${JSON.stringify(kind)}.`);
}

/**
 * The key third of MeanFlow's qkv bias shifts all products of a query alike, which the softmax does not see: its gradient is
 * zero, and Adam makes steps of up to the learning rate of the rounding noise there.
 *
 * @param total of the learning rates of all steps, which both sides may have moved by
 */
const keyBias =
  (total: number) =>
  ({ path, ownShape }: PublishedParameter): LooseRange | undefined => {
    if (!path.endsWith('attention/qkv/bias')) return undefined;
    const width = ownShape[0]! / 3;
    return { start: width, end: 2 * width, absolute: 2 * total };
  };

function compareRates(published: HostArray, rate: Schedule): TensorResult {
  const rates = new HostArray(
    'float64',
    published.shape,
    Float64Array.from(published.data, (_, step) => rate(step)),
  );
  return compareTensor('out/lr', rates, published, undefined, tolerances.learningRate);
}

async function readAll(arrays: Readonly<Record<string, DeviceArray>>): Promise<Record<string, HostArray>> {
  const read: Record<string, HostArray> = {};
  for (const [name, array] of Object.entries(arrays)) {
    read[name] = await array.read();
    array.dispose();
  }
  return read;
}

/** The arrays of each step, with a first axis for the steps. */
function stackedByName(steps: readonly Readonly<Record<string, HostArray>>[]): Record<string, HostArray> {
  const stack = (name: string) => {
    const values = steps.flatMap((step) => [...step[name]!.data]);
    return new HostArray('float32', [steps.length, ...steps[0]![name]!.shape], Float32Array.from(values));
  };
  return Object.fromEntries(Object.keys(steps[0]!).map((name) => [name, stack(name)]));
}
