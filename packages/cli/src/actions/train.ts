/** `meanflow train`: one model on one data set, in a run folder from which it can go on. */
import { ArgumentError } from '@meanflow/core';
import { describeData } from '@meanflow/data';
import { objectives } from '@meanflow/models';
import type { ResumePoint } from '@meanflow/training/node';
import {
  type BegunRun,
  resumeRun,
  type TrainedRun,
  trainRun,
  type TrainRunOptions,
} from '@meanflow/runs/node';
import {
  type Assignment,
  askedRunSchema,
  averageNote,
  countText,
  openConfigWithPlugins,
  paddingText,
  passedOverText,
  readAssignment,
  shortRunNote,
} from '@meanflow/runs/command';
import { keysOf, layerOf } from '../commands/config-options.js';
import { firstGiven, optionName } from '../commands/option-name.js';
import { type TrainOptions, trainOptions } from '../commands/train.js';
import { showBeginning } from '../terminal/beginning.js';
import { damagedText } from '../terminal/damaged.js';
import { Interrupt, interruptStatus } from '../terminal/interrupt.js';
import { noticesTo, type Io } from '../terminal/io.js';
import { showProgress, type ProgressView } from '../terminal/progress.js';
import { beginningText, courseText, divergedText, memoryText, summaryText } from './train-texts.js';

/** @returns the exit status */
export async function train(options: TrainOptions, io: Io): Promise<number> {
  const interrupt = new Interrupt();
  const { signal } = interrupt;
  const beginning = showBeginning(io);
  let progress: ProgressView | undefined;
  const watch: TrainRunOptions = {
    signal,
    onData: (dataset) => io.err(`${describeData(dataset)}\n`),
    onNotice: noticesTo(io),
    onBeginning: beginning.update,
    onBegin: (run) => {
      beginning.end();
      io.err(beginText(run));
      // Until now there was nothing to keep.
      interrupt.listen();
      progress = showProgress(`${run.dataset.name}, ${objectives.get(run.config.method).title}`, io, {
        signal,
      });
    },
    onResume: (run, from) => io.err(resumeText(run, from)),
    onProgress: (made) => {
      beginning.end();
      progress?.update(made);
    },
    onDiverged: (run, report, action) => {
      beginning.end();
      io.err(divergedText(report, action, run));
    },
  };
  try {
    const { resume } = options;
    const run = await (resume === undefined ? begin(options, watch) : goOn(resume, options, watch));
    beginning.end();
    progress?.stop();
    const { config, dataset, folder, summary } = run;
    io.err(damagedText(dataset));
    io.out(summaryText(summary, config, folder));
    const note = averageNote(config, summary.step, config.sampling.ema);
    if (note !== undefined) io.err(`${note}\n`);
    return summary.completed ? 0 : interruptStatus(signal);
  } finally {
    beginning.end();
    progress?.stop();
    interrupt.end();
  }
}

/** A new run. Nothing is written before it is compiled. */
async function begin(options: TrainOptions, watch: TrainRunOptions): Promise<TrainedRun> {
  if (options.init === undefined && options.initAverage !== undefined) {
    throw new ArgumentError('--init-average is an average of what a run begins with: give --init too.');
  }
  const file = options.config === undefined ? undefined : await openConfigWithPlugins(options.config);
  const given = layerOf(trainOptions, options, assignmentsOf(options));
  return trainRun(file === undefined ? [given] : [file, given], { ...watch, folder: options.out });
}

/** A run that was begun before. Its folder says what it is; its length, its rate, and where it and its data are may change. */
async function goOn(folder: string, options: TrainOptions, watch: TrainRunOptions): Promise<TrainedRun> {
  const fixed = trainOptions.filter(({ resumes }) => !resumes);
  const fields = trainOptions.filter(({ resumes }) => resumes).map(({ field }) => field);
  const set = assignmentsOf(options);
  const changed =
    firstGiven(options, keysOf(fixed)) ?? set.find(({ keys }) => !fields.includes(keys.join('.')))?.source;
  if (changed !== undefined) {
    const free = trainOptions.filter(
      ({ resumes, field }) => resumes && field !== undefined && field !== 'data',
    );
    throw new ArgumentError(
      `${changed} cannot change with --resume: a run keeps what it was begun with, but for ` +
        `${keysOf(free).map(optionName).join(', ')}, and the path of its --data.`,
    );
  }
  return resumeRun(folder, layerOf(trainOptions, options, set).record, watch);
}

/** What `--set` sets, each a field that a run may be asked for by. */
function assignmentsOf({ set = [] }: TrainOptions): readonly Assignment[] {
  return set.map((text) => readAssignment(text, askedRunSchema()));
}

/** What is trained, on what, and what whoever begins it should know. */
function beginText({ config, dataset, network, trainer, backend, init, adoption }: BegunRun): string {
  const parameters = countText(network.parameterCount);
  const notes = [
    paddingText(dataset.featureShape, config.network),
    shortRunNote(config, dataset),
    trainer.memoryPlan && memoryText(trainer.memoryPlan),
  ];
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
