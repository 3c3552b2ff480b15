/** A process that makes runs of a comparison, one after another, as it is told to. Ends when its parent lets go of it. */
import { MeanflowError, type Backend } from '@meanflow/core';
import { openBackend } from '../backends.js';
import { loadAlike } from '../plugins/load.js';
import { outliveReaders, stopSignals } from '../processes.js';
import { trainAndJudge } from './one-run.js';
import { openDataOf } from './resolve.js';
import type { FromWorker, ToWorker } from './run-messages.js';

const stop = new AbortController();
let backend: Promise<Backend> | undefined;

function say(message: FromWorker): void {
  process.send?.(message);
}

async function begin({ backend, threads, plugins }: ToWorker & { kind: 'open' }): Promise<Backend> {
  await loadAlike(plugins);
  return openBackend(backend, { threads });
}

async function make({ config, folder, withPictures, classifier }: ToWorker & { kind: 'run' }): Promise<void> {
  if (backend === undefined) throw new Error('Internal: a run was asked for before a backend was opened.');
  const opened = await backend;
  const run = { config, dataset: await openDataOf(config) };
  const onBeginning = (progress: (FromWorker & { kind: 'beginning' })['progress']) =>
    say({ kind: 'beginning', progress });
  const onProgress = (progress: (FromWorker & { kind: 'progress' })['progress']) =>
    say({ kind: 'progress', progress });
  const onNotice = (sentence: string): void => say({ kind: 'notice', sentence });
  const options = { backend: opened, folder, signal: stop.signal, onBeginning, onProgress, onNotice };
  say({ kind: 'finished', result: await trainAndJudge({ run, withPictures, classifier }, options) });
}

// What asks to stop may reach every process of the terminal or the job; when to stop is for the parent to say.
for (const name of stopSignals) process.on(name, () => {});
outliveReaders(process.stdout, process.stderr);
// Without it the run that is under way has nobody to report to.
process.on('disconnect', () => process.exit());
process.on('message', (message: ToWorker) => {
  if (message.kind === 'stop') stop.abort();
  else if (message.kind === 'open') {
    backend = begin(message);
    // The run that awaits it reports why it cannot be opened.
    backend.catch(() => {});
  } else {
    make(message).catch((error: unknown) => {
      const isBug = !(error instanceof MeanflowError);
      const { message, stack } = error instanceof Error ? error : new Error(String(error));
      say({ kind: 'failed', message, stack, isBug });
    });
  }
});
