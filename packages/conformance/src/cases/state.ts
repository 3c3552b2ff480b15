/**
 * State: it stays on the device from run to run, is donated, and does not grow. What a backend counts it exposes through two
 * optional interfaces: an executable's `counters` and the backend's `memory()`.
 */
import { DisposedError, type Backend, type Executable, type RunInput } from '@meanflow/core';
import {
  behaviour,
  counterGraph,
  disposeAll,
  expect,
  expectRejection,
  expectValues,
  scalar,
  withExecutable,
} from './behaviour.js';
import type { BehaviourCase, Finding } from './case.js';
import { f32, floats } from './inputs.js';

/** What an executable may count; state that stays on the device adds nothing. */
export interface TransferCounters {
  /** Bytes of host arrays that runs took as inputs. */
  readonly hostToDeviceBytes: number;
  /** Bytes copied to the host, by `read()` or otherwise. */
  readonly deviceToHostBytes: number;
}

/** An executable that counts its traffic. */
export interface CountingExecutable extends Executable {
  readonly counters: TransferCounters;
}

/** What a backend holds: whatever figures it can give, by name, such as `bytes` or `buffers`. None may grow. */
export type DeviceMemory = Readonly<Record<string, number | undefined>>;

/** A backend that knows what it holds. */
export interface MeasuringBackend extends Backend {
  memory(): DeviceMemory;
}

const SIZE = 2 ** 14;
const RUNS_BEFORE = 200;
const RUNS = 2000;
/** A leak of one state in each run would be 118 MB; the process's own unrest is well below half of that. */
const PROCESS_SLACK_BYTES = 48 * 2 ** 20;

/** All of them. */
export function stateCases(): BehaviourCase[] {
  const of = (variant: string, check: Parameters<typeof behaviour>[3]) =>
    behaviour('state', 'state', variant, check);
  return [
    of('goes from run to run', (backend) =>
      withExecutable(backend, counterGraph(3), { counter: 'counter' }, async (executable) => {
        let counter: RunInput = f32([0, 1, 2]);
        for (let i = 1; i <= 5; i++) {
          const results: Awaited<ReturnType<Executable['run']>> = await executable.run({
            counter,
            step: scalar(i),
          });
          expectValues('the total', await results.total.read(), [3 + (3 * i * (i + 1)) / 2]);
          results.total.dispose();
          counter = results.counter;
        }
        expect('dispose' in counter, 'A run must return device arrays.');
        expectValues('the state', await counter.read(), [15, 16, 17]);
        counter.dispose();
      }),
    ),
    of('is consumed by the run that takes it', (backend) =>
      withExecutable(backend, counterGraph(3), { counter: 'counter' }, async (executable) => {
        const first = await executable.run({ counter: f32([0, 1, 2]), step: scalar(1) });
        const second = await executable.run({ counter: first.counter, step: scalar(1) });
        await expectRejection('read() of a donated array', () => first.counter.read(), DisposedError);
        const again = { counter: first.counter, step: scalar(1) };
        await expectRejection('a run on a donated array', () => executable.run(again), DisposedError);
        expectValues('the state', await second.counter.read(), [2, 3, 4]);
        first.counter.dispose();
        expectValues('the state, after the old one’s dispose()', await second.counter.read(), [2, 3, 4]);
        disposeAll(first);
        disposeAll(second);
      }),
    ),
    of('that is not declared is not consumed', (backend) =>
      withExecutable(backend, counterGraph(3), {}, async (executable) => {
        const first = await executable.run({ counter: f32([0, 1, 2]), step: scalar(1) });
        const second = await executable.run({ counter: first.counter, step: scalar(1) });
        expectValues('the first', await first.counter.read(), [1, 2, 3]);
        expectValues('the second', await second.counter.read(), [2, 3, 4]);
        disposeAll(first);
        disposeAll(second);
      }),
    ),
    behaviour('state', 'state', 'makes no host traffic', residency, ['counters']),
    behaviour('memory', 'state', `after ${RUNS} runs as after ${RUNS_BEFORE}`, flatMemory, ['memory']),
  ];
}

function residency(backend: Backend): Promise<Finding> {
  return withExecutable(backend, counterGraph(SIZE), { counter: 'counter' }, async (executable) => {
    const { counters } = executable as Partial<CountingExecutable>;
    if (counters === undefined) return { unsupported: 'its executables expose no `counters`' };
    // A copy: the counters may be one object that changes.
    const read = (): TransferCounters => ({ ...(executable as CountingExecutable).counters });
    let { counter, total } = await executable.run({ counter: floats([SIZE]), step: scalar(1) });
    total.dispose();
    const before = read();
    const runs = 10;
    for (let i = 0; i < runs; i++) {
      ({ counter, total } = await executable.run({ counter, step: scalar(1) }));
      total.dispose();
    }
    const [up, down] = [
      read().hostToDeviceBytes - before.hostToDeviceBytes,
      read().deviceToHostBytes - before.deviceToHostBytes,
    ];
    expect(
      up === 4 * runs,
      `${runs} runs with one scalar each must send ${4 * runs} bytes to the device, sent ${up}.`,
    );
    expect(down === 0, `Runs whose results nobody reads must fetch nothing, fetched ${down} bytes.`);
    await counter.read();
    const fetched = read().deviceToHostBytes - before.deviceToHostBytes;
    expect(fetched === 4 * SIZE, `read() of ${4 * SIZE} bytes must count as such, counted ${fetched}.`);
    counter.dispose();
    return {};
  });
}

function flatMemory(backend: Backend): Promise<Finding> {
  const measure = memoryOf(backend);
  if (measure === undefined) {
    return Promise.resolve({
      unsupported: 'it has no `memory()`, and the platform does not tell the process’s',
    });
  }
  return withExecutable(backend, counterGraph(SIZE), { counter: 'counter' }, async (executable) => {
    let counter: RunInput = floats([SIZE]);
    let before: Measured | undefined;
    for (let i = 1; i <= RUNS; i++) {
      const results: Awaited<ReturnType<Executable['run']>> = await executable.run({
        counter,
        step: scalar(0.5),
      });
      results.total.dispose();
      counter = results.counter;
      if (i === RUNS_BEFORE) before = measure();
      // What runs free may be freed by the platform between tasks only.
      if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    const after = measure();
    if ('dispose' in counter) counter.dispose();
    for (const [name, value = 0] of Object.entries(after.figures)) {
      expect(
        value - (before!.figures[name] ?? 0) <= after.slack,
        `${after.what} was ${show(before!)} after ${RUNS_BEFORE} runs and ${show(after)} after ${RUNS}.`,
      );
    }
    return { detail: `${after.what}: ${show(before!)}, then ${show(after)}` };
  });
}

interface Measured {
  readonly what: string;
  readonly figures: DeviceMemory;
  /** How much a figure may grow. */
  readonly slack: number;
}

const show = ({ figures }: Measured): string =>
  Object.entries(figures)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${value} ${name}`)
    .join(', ');

/** The backend's own account, or the process's, where the platform has one. */
function memoryOf(backend: Backend): (() => Measured) | undefined {
  const { memory } = backend as Partial<MeasuringBackend>;
  if (memory !== undefined)
    return () => ({ what: 'The backend’s memory', figures: memory.call(backend), slack: 0 });
  const platform = globalThis as { readonly process?: { memoryUsage?: { rss?(): number } } };
  const rss = platform.process?.memoryUsage?.rss;
  if (rss === undefined) return undefined;
  return () => ({ what: 'The process’s memory', figures: { bytes: rss() }, slack: PROCESS_SLACK_BYTES });
}
