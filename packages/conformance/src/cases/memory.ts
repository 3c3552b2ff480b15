/**
 * Memory: none of the figures that can be had is larger after 2,000 runs on a state than after 200. A backend's own account
 * (`memory()`) must not grow at all. Beside it stand, where the platform tells them, the bytes of JavaScript's arrays that
 * are alive after a garbage collection, which show a leak of one state in 200 runs, and for a backend without an account
 * the whole of the process's memory, which shows a leak of one state in each run.
 */
import {
  layerNorm,
  matmul,
  softmax,
  spec,
  sum,
  tanh,
  trace,
  type Backend,
  type Executable,
  type Graph,
  type HostArray,
  type RunInput,
  type Tensor,
} from '@meanflow/core';
import { behaviour, counterGraph, expect, scalar, withExecutable } from './behaviour.js';
import type { BehaviourCase, Finding } from './case.js';
import { floats } from './inputs.js';

/** What a backend holds: whatever figures it can give, by name, such as `bytes` or `buffers`. None may grow. */
export type DeviceMemory = Readonly<Record<string, number | undefined>>;

/** A backend that knows what it holds. */
export interface MeasuringBackend extends Backend {
  memory(): DeviceMemory;
}

/** Floats in the state. */
const SIZE = 2 ** 14;
const STATE_BYTES = 4 * SIZE;
const RUNS_BEFORE = 200;
const RUNS = 2000;

/** All of them: a large state, and a small one on which much is computed in between. */
export function memoryCases(): BehaviourCase[] {
  const variant = `after ${RUNS} runs as after ${RUNS_BEFORE}`;
  const of = (name: string, loop: Loop) =>
    behaviour('memory', 'state', name, (backend) => flatMemory(backend, loop), ['memory']);
  const counter: Loop = { graph: counterGraph(SIZE), counter: floats([SIZE]), step: scalar(0.5) };
  const layers: Loop = { graph: layersGraph(), counter: floats([8, 16]), step: floats([16, 16]) };
  return [of(variant, counter), of(`of layers, ${variant}`, layers)];
}

/** A graph of `counter` and `step` to the next `counter` and a `total`, and what it begins with. */
interface Loop {
  readonly graph: Graph;
  readonly counter: HostArray;
  readonly step: HostArray;
}

const layersGraph = (): Graph =>
  trace(
    ({ counter, step }: Record<'counter' | 'step', Tensor>) => {
      const next = layerNorm(tanh(matmul(softmax(counter), step)));
      return { counter: next, total: sum(next) };
    },
    { counter: spec([8, 16]), step: spec([16, 16]) },
    { name: 'layers' },
  ).graph;

function flatMemory(backend: Backend, loop: Loop): Promise<Finding> {
  const meters = metersOf(backend);
  if (meters.length === 0) {
    return Promise.resolve({
      unsupported: 'it has no `memory()`, and the platform does not tell the process’s',
    });
  }
  return withExecutable(backend, loop.graph, { counter: 'counter' }, async (executable) => {
    let counter: RunInput = loop.counter;
    let before: DeviceMemory[] = [];
    for (let i = 1; i <= RUNS; i++) {
      const results: Awaited<ReturnType<Executable['run']>> = await executable.run({
        counter,
        step: loop.step,
      });
      results.total!.dispose();
      counter = results.counter!;
      if (i === RUNS_BEFORE) before = await readAll(meters);
      // What runs free may be freed by the platform between tasks only.
      if (i % 50 === 0) await nextTask();
    }
    const after = await readAll(meters);
    if ('dispose' in counter) counter.dispose();
    const found = meters.map(({ what, slack }, k) => {
      for (const [name, value = 0] of Object.entries(after[k]!)) {
        expect(
          value - (before[k]![name] ?? 0) <= slack,
          `${what}: ${show(before[k]!)} after ${RUNS_BEFORE} runs, ${show(after[k]!)} after ${RUNS}.`,
        );
      }
      return `${what}: ${show(before[k]!)}, then ${show(after[k]!)}`;
    });
    return { detail: found.join('; ') };
  });
}

/** A source of figures. */
interface Meter {
  readonly what: string;
  read(): DeviceMemory | Promise<DeviceMemory>;
  /** How much a figure may grow. */
  readonly slack: number;
}

const nextTask = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

async function readAll(meters: readonly Meter[]): Promise<DeviceMemory[]> {
  const figures: DeviceMemory[] = [];
  for (const { read } of meters) figures.push(await read());
  return figures;
}

const show = (figures: DeviceMemory): string =>
  Object.entries(figures)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${value} ${name}`)
    .join(', ');

/** What the kit uses of Node's `process`. */
interface NodeProcess {
  readonly memoryUsage: () => { readonly rss: number; readonly arrayBuffers: number };
  readonly getBuiltinModule?: (name: string) => unknown;
}

/** The backend's own account, and what the platform tells of the process. */
function metersOf(backend: Backend): readonly Meter[] {
  const { memory } = backend as Partial<MeasuringBackend>;
  const { process: node } = globalThis as { readonly process?: Partial<NodeProcess> };
  const own: Meter[] =
    memory === undefined
      ? []
      : [{ what: 'the backend’s memory', read: () => memory.call(backend), slack: 0 }];
  if (node?.memoryUsage === undefined) return own;
  const arrays = arrayMeter(node as NodeProcess);
  // A driver's memory comes and goes by more than any slack: who keeps an account is not judged by the process's.
  const rest = memory === undefined ? [processMeter(node as NodeProcess)] : [];
  return [...own, ...(arrays === undefined ? [] : [arrays]), ...rest];
}

/** The process is never quite at rest; a leak of the state in each run would be 118 MB. */
function processMeter({ memoryUsage }: NodeProcess): Meter {
  return { what: 'the process’s memory', read: () => ({ bytes: memoryUsage().rss }), slack: 48 * 2 ** 20 };
}

/** One state in 100 runs would be 18 of them. */
function arrayMeter(node: NodeProcess): Meter | undefined {
  const collect = garbageCollection(node);
  if (collect === undefined) return undefined;
  const read = async (): Promise<DeviceMemory> => {
    await nextTask();
    collect();
    // What it found is freed beside the program; the second collection waits for that.
    collect();
    return { bytes: node.memoryUsage().arrayBuffers };
  };
  return { what: 'arrays in JavaScript', read, slack: 8 * STATE_BYTES };
}

/** A function that collects all garbage; undefined where the platform keeps it to itself. */
function garbageCollection({ getBuiltinModule }: NodeProcess): (() => void) | undefined {
  const { gc } = globalThis as { readonly gc?: () => void };
  if (gc !== undefined || getBuiltinModule === undefined) return gc;
  const v8 = getBuiltinModule('node:v8') as { setFlagsFromString(flags: string): void };
  const vm = getBuiltinModule('node:vm') as { runInNewContext(code: string): unknown };
  v8.setFlagsFromString('--expose-gc');
  return vm.runInNewContext('gc') as () => void;
}
