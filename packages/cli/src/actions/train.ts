/** `meanflow train`: one model on one data set, in a run folder from which it can go on. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { ArgumentError, DataError, type Backend } from '@meanflow/core';
import { describeData } from '@meanflow/data';
import type { JsonObject } from '@meanflow/formats';
import type { Checkpoint } from '@meanflow/training';
import { checkFree, readRunConfig, RunDirectory, type ResumePoint } from '@meanflow/training/node';
import {
  averageNote,
  checkJudgeable,
  checkpointCheck,
  countText,
  createJudge,
  findBackend,
  located,
  merge,
  mergeRuns,
  methods,
  openConfigFile,
  openDataOf,
  paddingText,
  passedOverText,
  prepareRun,
  type ResolvedRun,
  resolveRun,
  type RunConfig,
  runConfigSchema,
  shortRunNote,
  trainRun,
  validate,
  withPlaces,
} from '@meanflow/runs/node';
import { interruptStatus, withInterrupt } from '../terminal/interrupt.js';
import { noticesTo, type Io } from '../terminal/io.js';
import { damagedText } from '../terminal/damaged.js';
import { showProgress } from '../terminal/progress.js';
import { beginningText, courseText, divergedText, summaryText } from './train-texts.js';
import {
  folderOptionNames,
  imageSettings,
  latentSettings,
  tableOptionNames,
  tableSettings,
} from '../commands/options.js';
import { optionName } from '../commands/option-name.js';
import type { TrainOptions } from '../commands/train.js';

/** @returns the exit status */
export function train(options: TrainOptions, io: Io): Promise<number> {
  return options.resume === undefined ? begin(options, io) : resume(options.resume, options, io);
}

/** A new run. Nothing is written before it is compiled. */
async function begin(options: TrainOptions, io: Io): Promise<number> {
  if (options.out !== undefined) await checkOut(options.out);
  const file = options.config === undefined ? undefined : await openConfigFile(options.config);
  const { data, label, recipe, method, steps, epochs, batch, seed, backend, unconditional } = options;
  const conditional = unconditional && false;
  const { learningRate, onDivergence } = options;
  const optimizer = learningRate === undefined ? undefined : { learningRate };
  const images = imageSettings(options);
  const table = tableSettings(options);
  const latents = latentSettings(options);
  const { init: path, initAverage: average } = options;
  if (path === undefined && average !== undefined) {
    throw new ArgumentError('--init-average is an average of what a run begins with: give --init too.');
  }
  const given = {
    init: path === undefined ? undefined : { path, average: average === 'none' ? null : average },
    data,
    label,
    table,
    recipe,
    conditional,
    images,
    latents,
    optimizer,
    onDivergence,
    method,
    steps,
    epochs,
    batch,
    seed,
    backend,
  };
  const changes = mergeRuns(file?.record ?? {}, given);
  const run = await resolveRun(changes, file?.source ?? 'The options', { notify: noticesTo(io) });
  io.err(`${describeData(run.dataset)}\n`);
  await checkRows(run);
  return withBackendOf(run.config, async (device) => {
    const folder = options.out ?? (await freeFolder(run));
    const config = withPlaces(run.config, folder);
    const open = (): Promise<RunDirectory> => RunDirectory.create(folder, asJson(config));
    return work({ ...run, config }, device, folder, io, { open });
  });
}

/** The folder refuses a second run itself, but only when the first step is compiled, which takes its time. */
async function checkOut(folder: string): Promise<void> {
  if (await exists(join(folder, 'config.json'))) {
    throw new DataError(
      `"${folder}" holds a run already. Go on with it with --resume, or choose another folder with --out.`,
    );
  }
  await checkFree(folder);
}

/** With more rows than this the check takes its time, and all but repeated rows pass it. */
const FEW_ROWS = 1000;

/** @throws {DataError} when "meanflow evaluate" could not judge the run for want of rows */
async function checkRows({ config, dataset }: ResolvedRun): Promise<void> {
  const { sizes } = dataset;
  if (sizes === undefined || sizes.train + sizes.test > FEW_ROWS) return;
  await checkJudgeable(dataset, createJudge(dataset, config, config.seed));
}

/** What a run keeps. */
const fixed = [
  'label',
  ...tableOptionNames,
  'unconditional',
  ...folderOptionNames,
  'readAs',
  'layout',
  'latentForm',
  'latentScale',
  'pixelRange',
  'flip',
  'cropPadding',
  'recipe',
  'method',
  'batch',
  'epochs',
  'seed',
  'config',
  'init',
  'initAverage',
  'out',
] as const satisfies readonly (keyof TrainOptions)[];

/** A run that was begun before. Its folder says what it is; its length, its rate, and where it and its data are may change. */
async function resume(folder: string, options: TrainOptions, io: Io): Promise<number> {
  for (const name of fixed) {
    if (options[name] !== undefined) {
      throw new ArgumentError(
        `${optionName(name)} cannot change with --resume: a run keeps what it was begun with, but for --steps, --learning-rate, ` +
          '--on-divergence, --backend, and the path of its --data.',
      );
    }
  }
  const { steps, backend, learningRate, onDivergence } = options;
  const source = join(folder, 'config.json');
  const saved = await readRunConfig(folder);
  const before = validate(runConfigSchema, saved, source, DataError);
  const optimizer = learningRate === undefined ? undefined : { learningRate };
  const changed = merge(saved, { steps, backend, optimizer, onDivergence });
  const asked = validate(runConfigSchema, changed, source, DataError);
  const config = withPlaces(await located(asked, folder, options.data), folder);
  const dataset = await openDataOf(config);
  io.err(`${describeData(dataset)}\n`);
  const checkCheckpoint = checkpointCheck(before, source, noticesTo(io));
  const open = (): Promise<RunDirectory> => RunDirectory.resume(folder, asJson(config));
  return withBackendOf(config, (device) =>
    work({ config, dataset }, device, folder, io, {
      open,
      checkCheckpoint,
      before,
      forgetRateScale: learningRate !== undefined,
    }),
  );
}

async function withBackendOf<T>({ backend }: RunConfig, use: (device: Backend) => Promise<T>): Promise<T> {
  const device = await findBackend(backend).open();
  try {
    return await use(device);
  } finally {
    await device.dispose();
  }
}

/** How the folder of a run is made or opened, and what it was before. */
interface RunFolder {
  readonly open: () => Promise<RunDirectory>;
  /** Throws where a checkpoint in it is of another run. */
  readonly checkCheckpoint?: (checkpoint: Checkpoint) => void;
  /** Of a run that goes on: its configuration until now. */
  readonly before?: RunConfig;
  readonly forgetRateScale?: boolean;
}

/** @returns the exit status */
async function work(
  run: ResolvedRun,
  device: Backend,
  folder: string,
  io: Io,
  { open, checkCheckpoint, before, forgetRateScale = false }: RunFolder,
): Promise<number> {
  const { config, dataset } = run;
  const prepared = await prepareRun(run, device);
  const { title } = methods[config.method];
  const directory = await open();
  try {
    const parameters = countText(prepared.network.parameterCount);
    io.err(
      `${title} on ${dataset.name}: ${config.network.kind} of ${parameters} parameters, ${countText(config.steps)} steps of ` +
        `${config.batch}, seed ${config.seed}, ${device.describe().description}\n`,
    );
    if (prepared.init && prepared.adoption) io.err(beginningText(prepared.init, prepared.adoption));
    const short = shortRunNote(config, dataset);
    const padding = paddingText(dataset.featureShape, config.network);
    for (const note of [padding, short]) if (note !== undefined) io.err(`${note}\n`);
    const onResume = ({ step, source, damaged }: ResumePoint): void => {
      io.err(
        source === undefined
          ? 'No checkpoint yet: from the beginning.\n'
          : damaged.length > 0
            ? `${passedOverText(damaged, { step, source })}\n`
            : `From step ${countText(step)} (${source}).\n`,
      );
      const course = before && courseText(before, config, step);
      if (course) io.err(`${course}\n`);
    };
    const [summary, status] = await withInterrupt(async (signal) => {
      const progress = showProgress(`${dataset.name}, ${title}`, io, { signal });
      try {
        const made = await trainRun(prepared, {
          directory,
          onProgress: progress.update,
          signal,
          onResume,
          ...(checkCheckpoint && { checkCheckpoint }),
          onDiverged: (report, action) => io.err(divergedText(report, action, { config, folder })),
          forgetRateScale,
        });
        return [made, made.completed ? 0 : interruptStatus(signal)] as const;
      } finally {
        progress.stop();
      }
    });
    io.err(damagedText(dataset));
    io.out(summaryText(summary, config, folder));
    const note = averageNote(config, summary.step, config.sampling.ema);
    if (note !== undefined) io.err(`${note}\n`);
    return status;
  } finally {
    await directory.close();
    await prepared.trainer.dispose();
  }
}

/** `runs/<data>-<method>-seed-<seed>`, numbered on where it is taken. */
async function freeFolder({ config, dataset }: ResolvedRun): Promise<string> {
  const name = dataset.name.replace(/[^A-Za-z0-9.-]+/g, '-');
  const base = join('runs', `${name}-${config.method}-seed-${config.seed}`);
  for (let number = 1; ; number++) {
    const folder = number === 1 ? base : `${base}-${number}`;
    if (!(await exists(folder))) return folder;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

/** Through text, which leaves out what is undefined. */
function asJson(config: RunConfig): JsonObject {
  return JSON.parse(JSON.stringify(config)) as JsonObject;
}
