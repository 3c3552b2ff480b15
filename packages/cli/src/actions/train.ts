/** `meanflow train`: one model on one data set, in a run folder from which it can go on. */
import { ArgumentError } from '@meanflow/core';
import { describeData } from '@meanflow/data';
import { objectives } from '@meanflow/models';
import type { ResumePoint } from '@meanflow/training/node';
import {
  averageNote,
  type BegunRun,
  countText,
  mergeRuns,
  openConfigFile,
  paddingText,
  passedOverText,
  resumeRun,
  shortRunNote,
  type TrainedRun,
  trainRun,
  type TrainRunOptions,
} from '@meanflow/runs/node';
import {
  folderOptionNames,
  imageSettings,
  latentSettings,
  tableOptionNames,
  tableSettings,
} from '../commands/options.js';
import { optionName } from '../commands/option-name.js';
import { taskOptionNames } from '../commands/task-options.js';
import type { TrainOptions } from '../commands/train.js';
import { damagedText } from '../terminal/damaged.js';
import { Interrupt, interruptStatus } from '../terminal/interrupt.js';
import { noticesTo, type Io } from '../terminal/io.js';
import { showProgress, type ProgressView } from '../terminal/progress.js';
import { taskOf } from './task.js';
import { beginningText, courseText, divergedText, summaryText } from './train-texts.js';

/** @returns the exit status */
export async function train(options: TrainOptions, io: Io): Promise<number> {
  const interrupt = new Interrupt();
  const { signal } = interrupt;
  let progress: ProgressView | undefined;
  const watch: TrainRunOptions = {
    signal,
    onData: (dataset) => io.err(`${describeData(dataset)}\n`),
    onNotice: noticesTo(io),
    onBegin: (run) => {
      io.err(beginText(run));
      // Until now there was nothing to keep.
      interrupt.listen();
      progress = showProgress(`${run.dataset.name}, ${objectives.get(run.config.method).title}`, io, {
        signal,
      });
    },
    onResume: (run, from) => io.err(resumeText(run, from)),
    onProgress: (made) => progress?.update(made),
    onDiverged: (run, report, action) => io.err(divergedText(report, action, run)),
  };
  try {
    const { resume } = options;
    const run = await (resume === undefined ? begin(options, watch) : goOn(resume, options, watch));
    progress?.stop();
    const { config, dataset, folder, summary } = run;
    io.err(damagedText(dataset));
    io.out(summaryText(summary, config, folder));
    const note = averageNote(config, summary.step, config.sampling.ema);
    if (note !== undefined) io.err(`${note}\n`);
    return summary.completed ? 0 : interruptStatus(signal);
  } finally {
    progress?.stop();
    interrupt.end();
  }
}

/** A new run. Nothing is written before it is compiled. */
async function begin(options: TrainOptions, watch: TrainRunOptions): Promise<TrainedRun> {
  const file = options.config === undefined ? undefined : await openConfigFile(options.config);
  const { data, label, recipe, method, steps, epochs, batch, seed, backend, unconditional } = options;
  const { learningRate, onDivergence, accumulate } = options;
  const { init: path, initAverage: average } = options;
  if (path === undefined && average !== undefined) {
    throw new ArgumentError('--init-average is an average of what a run begins with: give --init too.');
  }
  const given = {
    init: path === undefined ? undefined : { path, average: average === 'none' ? null : average },
    data,
    task: taskOf(options),
    label,
    table: tableSettings(options),
    recipe,
    conditional: unconditional && false,
    images: imageSettings(options),
    latents: latentSettings(options),
    optimizer: learningRate === undefined ? undefined : { learningRate },
    onDivergence,
    method,
    steps,
    epochs,
    batch,
    accumulate,
    seed,
    backend,
  };
  const settings = mergeRuns(file?.record ?? {}, given);
  return trainRun(settings, { ...watch, folder: options.out, source: file?.source ?? 'The options' });
}

/** What a run keeps. */
const fixed = [
  'label',
  ...taskOptionNames,
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
async function goOn(folder: string, options: TrainOptions, watch: TrainRunOptions): Promise<TrainedRun> {
  for (const name of fixed) {
    if (options[name] !== undefined) {
      throw new ArgumentError(
        `${optionName(name)} cannot change with --resume: a run keeps what it was begun with, but for --steps, --learning-rate, ` +
          '--on-divergence, --accumulate, --backend, and the path of its --data.',
      );
    }
  }
  const { steps, backend, learningRate, onDivergence, accumulate, data } = options;
  return resumeRun(folder, { steps, backend, learningRate, onDivergence, accumulate, data }, watch);
}

/** What is trained, on what, and what whoever begins it should know. */
function beginText({ config, dataset, network, backend, init, adoption }: BegunRun): string {
  const parameters = countText(network.parameterCount);
  const notes = [paddingText(dataset.featureShape, config.network), shortRunNote(config, dataset)];
  return [
    `${objectives.get(config.method).title} on ${dataset.name}: ${config.network.kind} of ${parameters} parameters, ` +
      `${countText(config.steps)} steps of ${config.batch}, seed ${config.seed}, ${backend.describe().description}`,
    ...(init && adoption ? [beginningText(init, adoption)] : []),
    ...notes.filter((note) => note !== undefined),
    '',
  ].join('\n');
}

/** Where a run goes on from, and where its learning rate goes. */
function resumeText(run: BegunRun, { step, source, damaged }: ResumePoint): string {
  const course = run.before && courseText(run.before, run.config, step);
  const from =
    source === undefined
      ? 'No checkpoint yet: from the beginning.'
      : damaged.length > 0
        ? passedOverText(damaged, { step, source })
        : `From step ${countText(step)} (${source}).`;
  return `${from}\n${course ? `${course}\n` : ''}`;
}
