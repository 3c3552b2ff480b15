/** `meanflow compare`: every method side by side, tables in the terminal, and a report to look at. */
import { objectives } from '@meanflow/models';
import { compareRuns, type DatasetResults, type FinishedRun, type RunTask } from '@meanflow/runs/node';
import { countText, durationText, pluginOptions, shellWord } from '@meanflow/runs/command';
import type { CompareOptions } from '../commands/compare.js';
import { showClassifierProgress } from '../terminal/classifier-progress.js';
import { showCombinedProgress, type CombinedProgress } from '../terminal/combined-progress.js';
import { errorText } from '../terminal/errors.js';
import { interruptStatus, Interrupt } from '../terminal/interrupt.js';
import type { Io } from '../terminal/io.js';
import { scoresTable } from '../terminal/scores.js';
import { requestOf } from './compare-request.js';
import { describeData } from '@meanflow/data';

/** @returns the exit status: 1 when a run failed, however many succeeded */
export async function compare(options: CompareOptions, io: Io): Promise<number> {
  const { resume, out, jobs } = options;
  const interrupt = new Interrupt();
  const { signal } = interrupt;
  let progress: CombinedProgress | undefined;
  let [count, steps] = [0, 0];
  let hasStepped = false;
  let plugins = '';
  const view = (): CombinedProgress => (progress ??= showCombinedProgress('training', steps, io, { signal }));
  const request = await requestOf(options, io);
  try {
    const { folder, results, report, failures, stopped } = await compareRuns(request, {
      ...{ folder: resume ?? out, resume: resume !== undefined, jobs, signal },
      onData: (dataset) => io.err(`${describeData(dataset)}\n`),
      onBegin: (begun) => {
        count = begun.tasks.length;
        plugins = pluginOptions(...begun.tasks.map(({ run }) => run.config));
        const sideBySide = begun.jobs === 1 ? '' : `, ${begun.jobs} at a time`;
        const on = begun.backend.describe().description;
        io.err(`${plural(count, 'run')}${sideBySide} on ${on}, into ${begun.folder}\n`);
        interrupt.listen();
        steps = begun.tasks.reduce((sum, { run }) => sum + run.config.steps, 0);
      },
      watchClassifier: ({ name }) => showClassifierProgress(name, io, signal),
      // From the first step on there is other progress to see.
      onBeginning: (task, { phase }) => {
        if (!hasStepped) io.err(`${nameOf(task)}: ${phase}…\n`);
      },
      onProgress: (task, made) => {
        hasStepped = true;
        view().update(task, made);
      },
      onNotice: (task, sentence) => view().note(`${nameOf(task)}: ${sentence}\n`),
      onFinished: (task, run) => view().finish(task, `${nameOf(task)}: ${finishedText(run)}\n`),
      onFailed: (task, error) => view().finish(task, `${nameOf(task)}: failed, ${messageOf(error)}\n`),
    });
    progress?.stop();
    if (stopped) {
      io.err(`Stopped. Go on with: npx meanflow compare --resume ${shellWord(folder)}${plugins}\n`);
      return interruptStatus(signal);
    }
    for (const dataset of results?.datasets ?? []) io.out(`\n${resultsText(dataset)}\n`);
    if (results !== undefined) {
      io.out(`Training and judging took ${durationText(results.trainingSeconds)}. Report: ${report}\n`);
    }
    if (failures.length === 0) return 0;
    io.err(`${failures.length} of ${plural(count, 'run')} failed:\n`);
    for (const { task, error } of failures) io.err(`${nameOf(task)}: ${errorText(error)}\n`);
    return 1;
  } finally {
    progress?.stop();
    interrupt.end();
  }
}

function nameOf({ run: { config, dataset } }: RunTask): string {
  return `${dataset.name}, ${objectives.get(config.method).title}, seed ${config.seed}`;
}

function finishedText({ config, seconds }: FinishedRun): string {
  return `${countText(config.steps)} steps, ${durationText(seconds)}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
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

function plural(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;
}
