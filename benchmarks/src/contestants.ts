/**
 * Who takes part: this project in its variants, and the programs that people would take instead, each with how it is started,
 * what it is called, and what to install where it is absent.
 */
import { fileURLToPath } from 'node:url';
import type { Command } from './driver/worker.js';
import type { Machine } from './driver/machine.js';

/** `ours` does the work that the peers do; `rewrite` the same result from less, where r = t. */
export type Side = 'ours' | 'rewrite' | 'peer';

export interface Contestant {
  readonly title: string;
  readonly side: Side;
  /** Why it is not there, and what to install; `undefined` where it is. */
  absence(machine: Machine): string | undefined;
  /** Why its figures would be another's, where they would. */
  same?(machine: Machine): string | undefined;
  command(folder: string, machine: Machine): Command;
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

function ours(title: string, side: Side, backend: string, rows: 'all' | 'different'): Contestant {
  return {
    title,
    side,
    absence: () => undefined,
    command: (folder, { threads }) => ({
      program: process.execPath,
      args: [here('./workers/ours.js'), folder, backend, rows, String(threads)],
    }),
  };
}

function python(
  title: string,
  script: string,
  module: 'torch' | 'jax',
  { mode, isFast = false }: { readonly mode?: 'eager' | 'compile'; readonly isFast?: boolean } = {},
): Contestant {
  const args = mode === undefined ? [] : [mode];
  return {
    title,
    side: 'peer',
    absence: ({ versions, python: interpreter, fastMkl }) => {
      if (versions[module] === undefined) return `${interpreter} has no ${module}: \`pip install ${module}\`, and name the interpreter by --python`; // prettier-ignore
      return isFast && fastMkl === undefined
        ? 'needs gcc, which builds what is preloaded: `apt-get install gcc`'
        : undefined;
    },
    ...(isFast && {
      same: ({ isIntel }: Machine) =>
        isIntel ? 'this processor is Intel’s, for which MKL takes its fast products by itself' : undefined,
    }),
    command: (folder, { threads, python: interpreter, fastMkl, scratch }) => ({
      program: interpreter,
      args: [here(`../peers/${script}`), folder, ...args, ...(mode === undefined ? [] : [String(threads)])],
      environment: {
        // Compiled anew, so that the time to the first step is a newcomer's.
        TORCHINDUCTOR_CACHE_DIR: `${scratch}/inductor-${title.replaceAll(/\W+/g, '-')}-${Date.now()}`,
        ...(isFast && fastMkl !== undefined && { LD_PRELOAD: fastMkl }),
      },
    }),
  };
}

export const contestants = {
  meanflow: ours('meanflow, ort:cpu', 'ours', 'ort:cpu', 'all'),
  'meanflow-rows': ours('meanflow, ort:cpu, derivative where r ≠ t', 'rewrite', 'ort:cpu', 'different'),
  torch: python('PyTorch eager', 'torch_worker.py', 'torch', { mode: 'eager' }),
  'torch-compile': python('torch.compile', 'torch_worker.py', 'torch', { mode: 'compile' }),
  'torch-fast': python('PyTorch eager, fast MKL', 'torch_worker.py', 'torch', {
    mode: 'eager',
    isFast: true,
  }),
  'torch-compile-fast': python('torch.compile, fast MKL', 'torch_worker.py', 'torch', { mode: 'compile', isFast: true }), // prettier-ignore
  jax: python('JAX jit', 'jax_worker.py', 'jax'),
  'meanflow-wasm': ours('meanflow, ort:wasm in Node', 'ours', 'ort:wasm', 'all'),
  'meanflow-tfjs-wasm': ours('meanflow, tfjs:wasm in Node', 'ours', 'tfjs:wasm', 'all'),
  'jax-js': {
    title: 'jax-js on Wasm in Node',
    side: 'peer',
    absence: ({ versions }: Machine) =>
      versions['@jax-js/jax'] === undefined ? 'it is not installed: `npm install -w benchmarks`' : undefined,
    command: (folder: string) => ({ program: process.execPath, args: [here('./workers/jax-js.js'), folder] }),
  },
} as const satisfies Readonly<Record<string, Contestant>>;

export type ContestantName = keyof typeof contestants;
