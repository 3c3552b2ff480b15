/** `meanflow train`: one model on one data set, in a run folder from which it can go on. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { ArgumentError, DataError, type Backend } from '@meanflow/core';
import { describeData } from '@meanflow/data';
import type { JsonObject } from '@meanflow/formats';
import type { Checkpoint } from '@meanflow/training';
import { checkFree, readRunConfig, RunDirectory, type ResumePoint } from '@meanflow/training/node';
import { Option, type Command } from 'commander';
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
  methodNames,
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
import type { SetExitCode } from './command.js';
import { courseText, divergedText, summaryText } from './train-texts.js';
import {
  folderOptionNames,
  imageSettings,
  latentSettings,
  optionName,
  positive,
  tableOptionNames,
  tableSettings,
  withBackend,
  withArrays,
  withImages,
  withTable,
  wholeNumber,
  type ArrayReading,
  type ImageOptions,
  type TableOptions,
} from './options.js';

interface TrainOptions extends ImageOptions, TableOptions, ArrayReading {
  readonly data?: string;
  readonly recipe?: string;
  readonly unconditional?: true;
  readonly epochs?: number;
  readonly label?: string;
  readonly method?: string;
  readonly steps?: number;
  readonly batch?: number;
  readonly seed?: number;
  readonly backend?: string;
  readonly out?: string;
  readonly config?: string;
  readonly resume?: string;
  readonly learningRate?: number;
  readonly onDivergence?: RunConfig['onDivergence'];
}

export function addTrain(program: Command, io: Io, exit: SetExitCode): void {
  const command = program
    .command('train')
    .summary('train one model')
    .description(
      'Train one model on one data set. The run gets a folder of its own, with its configuration (config.json), its metrics ' +
        '(metrics.jsonl) and its checkpoints. Ctrl-C, SIGTERM and SIGHUP stop it with a checkpoint (exit status 130, 143, 129); ' +
        '--resume goes on as if it had never stopped.',
    )
    .option(
      '--data <name>',
      'a data set ("meanflow info" lists them), a CSV file of numeric columns, a folder with a folder of images for each class, ' +
        'files of MNIST or CIFAR, or latents or pictures in an array (.npz, .npy, .pt, .safetensors)',
    )
    .option('--label <column>', 'the column of a CSV file that holds the class: its name or its number')
    .option('--unconditional', 'do not tell the network the class; a folder of images then needs no classes')
    .option(
      '--recipe <name>',
      'network, objective and optimizer as published, such as imf-dit-b-2; "meanflow info" lists them',
    )
    .option('--method <name>', methodNames.join(', '))
    .option('--steps <n>', 'how many updates to make', wholeNumber(1))
    .option('--epochs <n>', 'how many passes over the data to make', wholeNumber(1))
    .option('--batch <n>', 'rows in a batch', wholeNumber(1))
    .option('--seed <n>', 'decides everything random; the same seed makes the same model', wholeNumber(0))
    .option('--out <folder>', 'the run folder; by default runs/<data>-<method>-seed-<seed>')
    .option(
      '--learning-rate <rate>',
      "in place of the recipe's; with --resume in place of the run's",
      positive,
    )
    .addOption(
      new Option(
        '--on-divergence <what>',
        'where a step is not finite or the error runs away: stop with the state before it (the default), skip the step, or go back to ' +
          'the last checkpoint with half the learning rate',
      ).choices(['stop', 'skip', 'back']),
    )
    .option('--config <file>', 'JSON with any of the fields of config.json; options go before it')
    .option('--resume <run>', 'go on with the run in this folder')
    .addHelpText(
      'after',
      `
Examples:
  $ meanflow train                                          # MeanFlow on 8-gaussians
  $ meanflow train --data digits --method improved-meanflow --seed 1
  $ meanflow train --data points.csv --label class --steps 5000 --out runs/points
  $ meanflow train --data photos --image-size 32 --flip     # photos/cat/1.jpg, photos/dog/1.png, ...
  $ meanflow train --data cifar-10-batches-bin --recipe song-unet-cifar10-v1
  $ meanflow train --data latents.npz --recipe imf-dit-b-2 --batch 32
  $ meanflow train --resume runs/points --steps 10000       # go on, further than planned

All settings of a run, to be changed and given to --config:
  $ meanflow info --recipe digits --method meanflow > config.json
  $ meanflow info --recipe imf-dit-b-2                      # a published recipe, with the source of each value`,
    );
  withBackend(withArrays(withImages(withTable(command)))).action(async (options: TrainOptions) => {
    const status =
      options.resume === undefined ? await begin(options, io) : await resume(options.resume, options, io);
    if (status !== 0) exit(status);
  });
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
  const given = {
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
  const run = await resolveRun(changes, file?.source ?? 'The options');
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
