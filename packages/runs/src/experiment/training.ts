/** A resolved run as a trainer: network, objective, optimizer with its schedule, averages and batches out of the configuration. */
import { ArgumentError, referenceBackend, type Backend } from '@meanflow/core';
import { problemAt, type ValueSource } from '@meanflow/core/validation';
import type { Dataset } from '@meanflow/data';
import {
  adoptParameters,
  createObjective,
  type AdoptionReport,
  type AnyNetwork,
  type NetworkConfig,
  type TrainingBatch,
} from '@meanflow/models';
import type { ParameterTree } from '@meanflow/samplers';
import {
  adamW,
  chain,
  clipByGlobalNorm,
  cosineSchedule,
  linearSchedule,
  muonWithAdam,
  Trainer,
  trainingKeys,
  warmUpSchedule,
  type BatchSource,
  type BeginProgress,
  type GradientTransform,
  type Schedule,
  type ScheduleLike,
} from '@meanflow/training';
import { bytesOf } from '../config/numbers.js';
import type { OptimizerSettings } from '../config/optimizer-schema.js';
import type { RunConfig } from '../config/schema.js';
import { emaOf } from './averages.js';
import { checkTrainingMemory } from './memory.js';
import { factsOf, networkOf } from './model.js';
import type { ResolvedRun } from './resolve.js';

/** A run that is compiled and ready to make its first step. */
export interface PreparedRun extends ResolvedRun {
  readonly network: AnyNetwork;
  readonly trainer: Trainer<ParameterTree>;
  /** What became of the parameters that it begins with. */
  readonly adoption?: AdoptionReport;
}

/**
 * Compiles a run's train step.
 *
 * @param onBeginning told how far its first step is
 * @throws {ArgumentError} when network and objective do not fit together, or would take more memory than there is
 * @throws {BackendError} when the step cannot run on the backend
 */
export async function prepareRun(
  { config, dataset, source = 'The configuration', init }: ResolvedRun,
  backend: Backend,
  onBeginning?: (progress: BeginProgress) => void,
): Promise<PreparedRun> {
  const network = describedNetwork(config, dataset, source);
  checkTrainingMemory(config, network, source);
  const { classNames } = dataset;
  const { init: key } = trainingKeys(config.seed);
  const adopted = init && adoptParameters(network, init, { key, classNames });
  const trainer = await Trainer.create({
    backend,
    network,
    objective: createObjective(config.objective),
    optimizer: optimizerOf(config.optimizer, network.config, config.steps),
    ema: emaOf(config),
    data: batchesOf(dataset, config),
    batchSize: config.batch,
    seed: config.seed,
    ...(config.accumulate !== undefined && { accumulate: config.accumulate }),
    ...(config.memory !== undefined && { memory: bytesOf(config.memory) }),
    ...(config.precision !== undefined && { precision: config.precision }),
    guarded: config.onDivergence === 'skip',
    ...(adopted && { init: adopted.params }),
    onProgress: onBeginning,
  });
  return {
    config,
    dataset,
    network,
    trainer,
    ...(init && { init }),
    ...(adopted && { adoption: adopted.report }),
  };
}

/** The network, whose complaints about its fields are told with the place of the field. */
function describedNetwork(config: RunConfig, dataset: Dataset, source: string | ValueSource): AnyNetwork {
  try {
    return networkOf(config, factsOf(dataset));
  } catch (error) {
    const [field] = error instanceof ArgumentError ? (/^\w+/.exec(error.message) ?? []) : [];
    if (!(error instanceof ArgumentError) || field === undefined || !Object.hasOwn(config.network, field))
      throw error;
    throw new ArgumentError(problemAt(source, ['network', field], error.message), { cause: error });
  }
}

/**
 * Traces a run's train step without compiling it for a device, so that parts that do not fit together show before anything runs.
 *
 * @throws {ArgumentError} when network and objective do not fit together
 */
export async function checkTrainable(run: ResolvedRun): Promise<void> {
  const { trainer } = await prepareRun(run, referenceBackend());
  await trainer.dispose();
}

/** Batches with labels where the network is told them. */
function batchesOf(dataset: Dataset, { conditional }: RunConfig): BatchSource<TrainingBatch> {
  return {
    batch: (key, step, size) => {
      const { x, label, conditions, present } = dataset.batch(key, step, size);
      const given = { ...(conditions && { conditions }), ...(present && { present }) };
      return conditional ? { x, label, ...given } : { x, ...given };
    },
  };
}

/**
 * The optimizer at the scheduled rate, after clipping where it is asked for.
 *
 * @throws {ArgumentError} for Muon with a network that has no published form to say which parameters are matrices
 */
function optimizerOf(settings: OptimizerSettings, network: NetworkConfig, steps: number): GradientTransform {
  const learningRate = scheduleOf(settings, steps);
  const { clipNorm } = settings;
  let optimizer: GradientTransform;
  if (settings.kind === 'muon') {
    const { beta, adam } = settings;
    optimizer = muonWithAdam(network, { learningRate, beta, adam });
  } else {
    const { beta1, beta2, epsilon, weightDecay } = settings;
    optimizer = adamW({ learningRate, beta1, beta2, epsilon, weightDecay });
  }
  return clipNorm === undefined ? optimizer : chain(clipByGlobalNorm(clipNorm), optimizer);
}

/** The learning rate by updates made before. */
export function scheduleOf(settings: OptimizerSettings, steps: number): Schedule {
  const { learningRate, schedule, finalShare = 0, warmUpSteps, warmUpFrom } = settings;
  const remaining = Math.max(1, steps - warmUpSteps);
  const main = {
    constant: (): ScheduleLike => learningRate,
    cosine: () => cosineSchedule(learningRate, learningRate * finalShare, remaining),
    linear: () => linearSchedule(learningRate, learningRate * finalShare, remaining),
  }[schedule]();
  return warmUpSchedule(main, warmUpSteps, warmUpFrom);
}
