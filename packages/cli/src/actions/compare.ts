/** `meanflow compare`: every method side by side, tables in the terminal, and a report to look at. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { datasets, describeData, type Dataset } from '@meanflow/data';
import { acquireLock, type Lock } from '@meanflow/training/node';
import {
  classifierOf,
  compareAll,
  type ComparedDataset,
  type ComparisonResults,
  countText,
  type DatasetResults,
  durationText,
  type FailedRun,
  findBackend,
  type FinishedRun,
  type JudgingClassifier,
  makeOutputFolder,
  methods,
  planComparison,
  type RunFailure,
  type RunTask,
  saveRequest,
  writeOutput,
} from '@meanflow/runs/node';
import { pictureFiles, reportHtml } from '@meanflow/runs/report';
import { showClassifierProgress } from '../terminal/classifier-progress.js';
import { showCombinedProgress } from '../terminal/combined-progress.js';
import { errorText } from '../terminal/errors.js';
import { interruptStatus, withInterrupt } from '../terminal/interrupt.js';
import type { Io } from '../terminal/io.js';
import { scoresTable } from '../terminal/scores.js';
import { shellWord } from '../terminal/shell.js';
import { requestOf } from './compare-request.js';
import type { CompareOptions } from '../commands/compare.js';

/** Held while a comparison is made, besides those of its runs. */
const LOCK = '.meanflow-lock';

/** @returns the exit status: 1 when a run failed, however many succeeded */
export async function compare(options: CompareOptions, io: Io): Promise<number> {
  const { resume } = options;
  const request = await requestOf(options);
  const { config } = request;
  const planned = await planComparison(config, request.changes, description);
  for (const { dataset } of planned) io.err(`${describeData(dataset)}\n`);
  const tasks = planned.flatMap(({ runs }) => runs.flatMap(({ byMethod }) => byMethod));
  const jobs = Math.min(options.jobs ?? availableParallelism(), tasks.length);
  const threads = Math.max(1, Math.floor(availableParallelism() / jobs));
  // Opened before anything is written, so that a backend that cannot run here leaves nothing behind.
  const backend = await findBackend(config.backend).open({ threads });
  const createdAt = new Date();
  const folder = resume ?? options.out ?? join('runs', `compare-${stamp(createdAt)}`);
  let lock: Lock | undefined;
  try {
    if (resume === undefined) await makeOutputFolder(folder);
    lock = await acquireLock(join(folder, LOCK), `The comparison in "${folder}"`);
    if (resume === undefined) await saveRequest(folder, request);
    const sideBySide = jobs === 1 ? '' : `, ${jobs} at a time`;
    const on = backend.describe().description;
    io.err(`${plural(tasks.length, 'run')}${sideBySide} on ${on}, into ${folder}\n`);

    const totalSteps = tasks.reduce((sum, run) => sum + run.config.steps, 0);
    let stopped = 0;
    const outcomes = await withInterrupt(async (signal) => {
      signal.addEventListener('abort', () => (stopped = interruptStatus(signal)));
      const classifiers = new Map<Dataset, JudgingClassifier>();
      for (const { dataset, classifier: wanted } of planned) {
        if (wanted === undefined) continue;
        const progress = showClassifierProgress(dataset.name, io, signal);
        const found = await classifierOf(wanted, { ...progress, backend, signal }).finally(progress.stop);
        if (found === undefined) return undefined;
        classifiers.set(dataset, found);
      }
      const progress = showCombinedProgress('training', totalSteps, io, { signal });
      try {
        return await compareAll(planned, {
          backend,
          jobs,
          threads,
          folder,
          classifiers,
          signal,
          onProgress: progress.update,
          onNotice: (task, sentence) => progress.note(`${nameOf(task)}: ${sentence}\n`),
          onFinished: (task, run) => progress.finish(task, `${nameOf(task)}: ${finishedText(run)}\n`),
          onFailed: (task, error) => progress.finish(task, `${nameOf(task)}: failed, ${messageOf(error)}\n`),
        });
      } finally {
        progress.stop();
      }
    });
    if (outcomes === undefined) {
      io.err(`Stopped. Go on with: meanflow compare --resume ${shellWord(folder)}\n`);
      return stopped;
    }
    const compared = outcomes.flatMap((outcome) => outcome.compared ?? []);
    const failures = outcomes.flatMap((outcome) => outcome.failures);
    for (const { results } of compared) io.out(`\n${resultsText(results)}\n`);
    if (compared.length > 0) {
      const trainingSeconds = (Date.now() - createdAt.getTime()) / 1000;
      const results: ComparisonResults = {
        format: 'meanflow-comparison',
        version: 1,
        createdAt: createdAt.toISOString(),
        command: request.command,
        device: backend.describe(),
        seeds: config.seeds,
        trainingSeconds,
        datasets: compared.map((dataset) => dataset.results),
        failed: failures.map(failedRun),
      };
      const report = await writeResults(folder, results, compared);
      io.out(`Training and judging took ${durationText(trainingSeconds)}. Report: ${report}\n`);
    }
    if (failures.length === 0) return 0;
    io.err(`${failures.length} of ${plural(tasks.length, 'run')} failed:\n`);
    for (const { task, error } of failures) io.err(`${nameOf(task)}: ${errorText(error)}\n`);
    return 1;
  } finally {
    await lock?.release();
    await backend.dispose();
  }
}

function nameOf({ run: { config, dataset } }: RunTask): string {
  return `${dataset.name}, ${methods[config.method].title}, seed ${config.seed}`;
}

function finishedText({ config, seconds }: FinishedRun): string {
  return `${countText(config.steps)} steps, ${durationText(seconds)}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function failedRun({ task: { run }, error }: RunFailure): FailedRun {
  const { method, seed } = run.config;
  return { dataset: run.dataset.name, method, seed, message: messageOf(error) };
}

function resultsText(results: DatasetResults): string {
  const medians = (row: DatasetResults['floor']): Record<string, number> =>
    Object.fromEntries(Object.entries(row).map(([name, { median }]) => [name, median]));
  const rows = results.methods.flatMap(({ title, sampling }) =>
    sampling.map(({ nfe, metrics }) => ({ name: title, nfe, scores: medians(metrics) })),
  );
  const notes = results.notes.map((note) => `${note}\n`).join('');
  return `${results.name}\n${notes}${scoresTable(results.metrics, rows, medians(results.floor))}`;
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

function description({ name, columns, sizes, classCount, featureShape, imageShape }: Dataset): string {
  const listed = datasets.find((entry) => entry.name === name)?.description;
  if (listed !== undefined) return listed;
  const rows = sizes === undefined ? '' : `${countText(sizes.train + sizes.test)} rows, `;
  if (columns.length === 0) {
    const shape = imageShape ?? featureShape;
    return `${rows}images of ${shape.join(' × ')}${classCount === undefined ? '' : `, ${classCount} classes`}`;
  }
  return `${rows}${plural(columns.length, 'column')}${classCount === undefined ? '' : `, ${classCount} classes`}`;
}

/** Local time as `2026-11-21-0240-07`. */
function stamp(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}-${two(date.getSeconds())}`;
}

function plural(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;
}
