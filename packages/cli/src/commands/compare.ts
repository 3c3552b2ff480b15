/** `meanflow compare`: every method side by side, tables in the terminal, and a report to look at. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Backend } from '@meanflow/core';
import { datasets, type Dataset } from '@meanflow/data';
import type { Progress } from '@meanflow/training';
import type { Command } from 'commander';
import { DEFAULT_BACKEND, findBackend } from '../backends.js';
import { merge } from '../config/merge.js';
import { readConfigFile } from '../config/read-file.js';
import { comparisonConfigSchema, methodNames } from '../config/schema.js';
import { validate } from '../config/validate.js';
import {
  compareDataset,
  planComparison,
  type ComparedDataset,
  type PlannedDataset,
} from '../experiment/comparison.js';
import { trainAndJudge, type FinishedRun, type RunTask } from '../experiment/one-run.js';
import { RunPool } from '../experiment/run-pool.js';
import { makeOutputFolder, writeOutput } from '../files.js';
import { defaultDatasets } from '../recipes/index.js';
import { pictureFiles } from '../report/files.js';
import { reportHtml } from '../report/html.js';
import { methods } from '../methods.js';
import { countText, durationText } from '../report/numbers.js';
import type { ComparisonResults, DatasetResults } from '../report/results.js';
import { showCombinedProgress } from '../terminal/combined-progress.js';
import { INTERRUPTED, withInterrupt } from '../terminal/interrupt.js';
import type { Io } from '../terminal/io.js';
import { scoresTable } from '../terminal/scores.js';
import { shellWord } from '../terminal/shell.js';
import type { SetExitCode } from './command.js';
import { names, withBackend, wholeNumber, wholeNumbers } from './options.js';

interface CompareOptions {
  readonly data?: readonly string[];
  readonly label?: string;
  readonly method?: readonly string[];
  readonly seeds?: readonly number[];
  readonly seed?: number;
  readonly steps?: number;
  readonly batch?: number;
  readonly backend?: string;
  readonly jobs?: number;
  readonly config?: string;
  readonly out?: string;
}

export function addCompare(program: Command, io: Io, exit: SetExitCode): void {
  const command = program
    .command('compare')
    .summary('train all methods side by side and write a report')
    .description(
      'Train flow matching, MeanFlow and improved MeanFlow on the same data with the same network, steps and batches; measure their ' +
        'samples at few and at many network evaluations; write a report (one HTML page), pictures and the numbers.',
    )
    .option('--data <names>', `data sets or CSV files, by default ${defaultDatasets.join(',')}`, names)
    .option('--label <column>', 'the column of CSV files that holds the class')
    .option('--method <names>', `by default ${methodNames.join(',')}`, names)
    .option('--seeds <list>', 'such as 0,1,2: each run at each seed, medians in the tables', wholeNumbers(0))
    .option('--seed <n>', 'a single seed; 0 by default', wholeNumber(0))
    .option('--steps <n>', 'updates, the same for all; by default each data set has its own', wholeNumber(1))
    .option('--batch <n>', 'rows in a batch, the same for all', wholeNumber(1))
    .option(
      '--jobs <n>',
      'runs at a time, each with its share of the cores; one for each core by default',
      wholeNumber(1),
    )
    .option(
      '--config <file>',
      'JSON with data, methods, seeds, backend, and changes to "recipes" by data set',
    )
    .option('--out <folder>', 'an empty or new folder; by default runs/compare-<date>-<time>')
    .addHelpText(
      'after',
      `
Examples:
  $ meanflow compare                                        # what "npm start" does
  $ meanflow compare --data two-moons --seeds 0,1,2
  $ meanflow compare --data points.csv --label class --method meanflow,flow-matching
  $ meanflow compare --steps 200 --out runs/quick           # a quick look

A configuration file that changes a recipe:
  { "data": ["digits"], "recipes": { "digits": { "steps": 8000, "network": { "width": 384 } } } }`,
    );
  withBackend(command).action(async (options: CompareOptions) => {
    if (!(await compare(options, io))) exit(INTERRUPTED);
  });
}

const defaults = {
  data: defaultDatasets,
  methods: methodNames,
  seeds: [0],
  backend: DEFAULT_BACKEND,
  recipes: {},
};

/** @returns false when it was interrupted */
async function compare(options: CompareOptions, io: Io): Promise<boolean> {
  const { data, label, method, steps, batch, backend: backendName } = options;
  const seeds = options.seeds ?? (options.seed === undefined ? undefined : [options.seed]);
  const file = options.config === undefined ? {} : await readConfigFile(options.config);
  const changes = { data, label, methods: method, seeds, backend: backendName };
  const source = options.config ?? 'The options';
  const config = validate(comparisonConfigSchema, merge(merge(defaults, file), changes), source);
  const planned = await planComparison(config, { steps, batch }, description);
  const runs = runCount(planned);
  const jobs = Math.min(options.jobs ?? availableParallelism(), runs);
  const threads = Math.max(1, Math.floor(availableParallelism() / jobs));
  // Opened before anything is written, so that a backend that cannot run here leaves nothing behind.
  const backend = await findBackend(config.backend).open({ threads });
  try {
    const createdAt = new Date();
    const folder = options.out ?? join('runs', `compare-${stamp(createdAt)}`);
    await makeOutputFolder(folder);
    const sideBySide = jobs === 1 ? '' : `, ${jobs} at a time`;
    io.err(`${plural(runs, 'run')}${sideBySide} on ${backend.describe().description}, into ${folder}\n`);

    const compared = await withInterrupt((signal) =>
      compareAll(planned, { backend, jobs, threads, folder, io, signal }),
    );
    if (compared === undefined) {
      io.err(`Stopped. What was trained is in ${join(folder, 'runs')}.\n`);
      return false;
    }
    const trainingSeconds = (Date.now() - createdAt.getTime()) / 1000;
    const results: ComparisonResults = {
      format: 'meanflow-comparison',
      version: 1,
      createdAt: createdAt.toISOString(),
      command: commandLine(options),
      device: backend.describe(),
      seeds: config.seeds,
      trainingSeconds,
      datasets: compared.map((dataset) => dataset.results),
    };
    const report = await writeResults(folder, results, compared);
    io.out(`Training and judging took ${durationText(trainingSeconds)}. Report: ${report}\n`);
    return true;
  } finally {
    await backend.dispose();
  }
}

interface CompareAllOptions {
  readonly backend: Backend;
  readonly jobs: number;
  readonly threads: number;
  readonly folder: string;
  readonly io: Io;
  readonly signal: AbortSignal;
}

/** Everything planned, `jobs` runs at a time; undefined when it was interrupted. */
async function compareAll(
  planned: readonly PlannedDataset[],
  { backend, jobs, threads, folder, io, signal: interrupted }: CompareAllOptions,
): Promise<ComparedDataset[] | undefined> {
  // The first run that fails stops the others.
  const failed = new AbortController();
  const signal = AbortSignal.any([interrupted, failed.signal]);
  const steps = planned.reduce(
    (sum, { runs }) =>
      sum + runs.flatMap(({ byMethod }) => byMethod).reduce((total, run) => total + run.config.steps, 0),
    0,
  );
  const progress = showCombinedProgress('training', steps, io, { signal: interrupted });
  const onProgress = (task: RunTask, of: Progress) => progress.update(task, of);
  const pool =
    jobs === 1
      ? undefined
      : new RunPool({ jobs, threads, backend: backend.name, folder, signal, onProgress });
  let queue: Promise<unknown> = Promise.resolve();
  const make = (task: RunTask): Promise<FinishedRun | undefined> => {
    if (pool !== undefined) return pool.train(task);
    const result = queue.then(() =>
      signal.aborted
        ? undefined
        : trainAndJudge(task, { backend, folder, signal, onProgress: (of) => onProgress(task, of) }),
    );
    queue = result.catch(() => undefined);
    return result;
  };
  const train = async (task: RunTask): Promise<FinishedRun | undefined> => {
    try {
      const result = await make(task);
      if (result !== undefined) progress.finish(task, runText(task, result));
      return result;
    } catch (error) {
      failed.abort();
      throw error;
    }
  };
  try {
    // All are asked for at once, so that no core waits for a data set to be finished; they are told of in order.
    const pending = planned.map((dataset) => compareDataset(dataset, train, interrupted));
    await Promise.allSettled(pending);
    const compared: ComparedDataset[] = [];
    for (const each of await Promise.all(pending)) {
      if (each === undefined) return undefined;
      compared.push(each);
    }
    progress.stop();
    for (const { results } of compared) io.out(`\n${resultsText(results)}\n`);
    return compared;
  } finally {
    progress.stop();
    pool?.close();
  }
}

function runText({ run: { config, dataset } }: RunTask, { seconds }: FinishedRun): string {
  const { method, seed, steps } = config;
  return `${dataset.name}, ${methods[method].title}, seed ${seed}: ${countText(steps)} steps, ${durationText(seconds)}\n`;
}

function resultsText(results: DatasetResults): string {
  const medians = (row: DatasetResults['floor']): Record<string, number> =>
    Object.fromEntries(Object.entries(row).map(([name, { median }]) => [name, median]));
  const rows = results.methods.flatMap(({ title, sampling }) =>
    sampling.map(({ nfe, metrics }) => ({ name: title, nfe, scores: medians(metrics) })),
  );
  return `${results.name}\n${scoresTable(results.metrics, rows, medians(results.floor))}`;
}

async function writeResults(
  folder: string,
  results: ComparisonResults,
  compared: readonly ComparedDataset[],
): Promise<string> {
  const files = compared.map((dataset) => pictureFiles(dataset.results, dataset.pictures));
  for (const [name, content] of Object.entries(Object.assign({}, ...files) as Record<string, string>)) {
    await writeOutput(join(folder, name), content);
  }
  await writeOutput(join(folder, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
  const report = join(folder, 'report.html');
  const html = reportHtml(results, compared.map(({ pictures }) => pictures)); // prettier-ignore
  await writeOutput(report, html);
  return report;
}

function description({ name, columns, sizes, classCount }: Dataset): string {
  const listed = datasets.find((entry) => entry.name === name)?.description;
  if (listed !== undefined) return listed;
  const rows = sizes === undefined ? '' : `${countText(sizes.train + sizes.test)} rows, `;
  return `${rows}${plural(columns.length, 'column')}${classCount === undefined ? '' : `, ${classCount} classes`}`;
}

/** The command as it would be typed again. */
function commandLine(options: CompareOptions): string {
  const written = Object.entries(options).map(
    ([name, value]) => `--${name} ${shellWord(Array.isArray(value) ? value.join(',') : String(value))}`,
  );
  return ['meanflow compare', ...written].join(' ');
}

/** Local time as `2026-11-21-0240-07`. */
function stamp(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}-${two(date.getSeconds())}`;
}

function runCount(planned: readonly PlannedDataset[]): number {
  return planned.reduce(
    (sum, { runs }) => sum + runs.reduce((inner, { byMethod }) => inner + byMethod.length, 0),
    0,
  );
}

function plural(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;
}
