/**
 * Where reports of the kit come from: each backend of this machine in a process of its own, so that one that dies takes no other
 * with it, and each backend of a browser in a browser of its own.
 */
import { fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { remoteReport, type RemoteMessage, type ReportSource } from '@meanflow/conformance';
import { conformanceInChromium, type PageProgram } from '@meanflow/conformance/chromium';
import { BackendError } from '@meanflow/core';
import { Registry } from '@meanflow/core/validation';
import { backends } from '@meanflow/runs/node';
import { allowsSoftware, loadedPlugins, withSoftwareHint } from '@meanflow/runs/command';
import { ORT_FILES, pageBackends } from './page-backends.js';
import type { WorkerRequest } from './worker.js';

const BROWSER = 'chromium/';

/** A program's entry beside this file, and like it built or source. */
const beside = (name: string): URL =>
  new URL(`./${name}.${import.meta.url.split('.').at(-1)}`, import.meta.url);

/** All sources: the reference, then what runs in Node, then what runs in a browser. */
export function sources(): Registry<ReportSource> {
  const inNode = [...backends].sort(
    (a, b) => Number(b.name === 'reference') - Number(a.name === 'reference'),
  );
  const inPages = Object.keys(pageBackends).map(pageSource);
  return new Registry('backend', [...inNode.map(({ name }) => processSource(name)), ...inPages]);
}

function processSource(name: string): ReportSource {
  return {
    name,
    run: async (options) => {
      const plugins = await loadedPlugins();
      // Infinities cross this border, and what a library prints goes to the error stream: results are printed elsewhere.
      const worker = fork(fileURLToPath(beside('worker')), {
        serialization: 'advanced',
        stdio: ['ignore', 2, 2, 'ipc'],
      });
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
          const request: WorkerRequest = { backend: name, plugins, cases };
          worker.send(request, () => {});
        });
      } finally {
        // One that hangs in a library hears nothing else.
        worker.kill('SIGKILL');
      }
    },
  };
}

function pageSource(backend: string): ReportSource {
  return {
    name: `${BROWSER}${backend}`,
    run: async (options) => {
      const allowSoftware = allowsSoftware();
      return withSoftwareHint(() =>
        conformanceInChromium(pageProgram(), backend, { ...options, allowSoftware }),
      );
    },
  };
}

/** @throws {BackendError} when onnxruntime-web is not installed */
function pageProgram(): PageProgram {
  return {
    entry: beside('page'),
    folders: { [ORT_FILES]: ortFolder() },
    // ONNX Runtime then fetches its WebAssembly glue as a file, which its worker threads need, too.
    conditions: ['onnxruntime-web-use-extern-wasm'],
  };
}

function ortFolder(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  } catch (error) {
    throw new BackendError(
      'The kit in Chromium needs the package onnxruntime-web. Run `npm install onnxruntime-web@^1.30`.',
      { cause: error },
    );
  }
}
