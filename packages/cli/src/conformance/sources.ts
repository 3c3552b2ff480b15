/**
 * Where reports of the kit come from: each backend of this machine in a process of its own, so that one that dies takes no other
 * with it, and each backend of a browser in a browser of its own.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { remoteReport, type RemoteMessage, type ReportSource } from '@meanflow/conformance';
import { ArgumentError, didYouMean } from '@meanflow/core';
import { backends } from '../backends.js';
import { allowsSoftware, withSoftwareHint } from '../software-adapters.js';
import { loadBrowser } from './browser.js';
import type { WorkerRequest } from './worker.js';

const BROWSER = 'chromium/';

/** The names before the package is loaded, which not every installation has. */
const inBrowser = ['tfjs:webgpu', 'ort:webgpu', 'ort:wasm'] as const;

/** The worker's entry: beside this file, and like it built or source. */
const entry = fileURLToPath(import.meta.url).replace(/sources(?=\.\w+$)/, 'worker');

/** All sources: the reference, then what runs in Node, then what runs in a browser. */
export const sources: readonly ReportSource[] = [
  ...[...backends]
    .sort((a, b) => Number(b.name === 'reference') - Number(a.name === 'reference'))
    .map(({ name }) => processSource(name)),
  ...inBrowser.map(browserSource),
];

/** @throws {ArgumentError} when there is none of that name, with the nearest one */
export function findSource(name: string): ReportSource {
  const found = sources.find((source) => source.name === name);
  if (found !== undefined) return found;
  const names = sources.map((source) => source.name);
  throw new ArgumentError(
    `There is no backend "${name}".${didYouMean(name, names)} Known are ${names.join(', ')}.`,
  );
}

function processSource(name: string): ReportSource {
  return {
    name,
    run: async (options) => {
      // Infinities cross this border, and what a library prints goes to the error stream: results are printed elsewhere.
      const worker = fork(entry, { serialization: 'advanced', stdio: ['ignore', 2, 2, 'ipc'] });
      try {
        return await remoteReport(name, options, ({ cases, hear, end }) => {
          worker.on('message', (message: RemoteMessage) => hear(message));
          worker.on('error', ({ message }) => end(`its process cannot be started: ${message}`));
          worker.on('exit', (status, signal) => {
            const ended = () =>
              end(`its process was ended ${signal === null ? `with status ${status}` : `by ${signal}`}`);
            // What it said last may still be under way.
            if (worker.connected) worker.once('disconnect', ended);
            else ended();
          });
          const request: WorkerRequest = { backend: name, cases };
          worker.send(request, () => {});
        });
      } finally {
        // One that hangs in a library hears nothing else.
        worker.kill('SIGKILL');
      }
    },
  };
}

function browserSource(backend: (typeof inBrowser)[number]): ReportSource {
  return {
    name: `${BROWSER}${backend}`,
    run: async (options) => {
      const { conformanceInBrowser } = await loadBrowser();
      const allowSoftware = allowsSoftware();
      return withSoftwareHint(() => conformanceInBrowser(backend, { ...options, allowSoftware }));
    },
  };
}
