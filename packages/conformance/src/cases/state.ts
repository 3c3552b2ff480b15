/**
 * State: it stays on the device from run to run, is donated, and does not grow (`memory.ts`). What a backend's executables
 * count they may expose as `counters`.
 */
import {
  add,
  DisposedError,
  mul,
  spec,
  sub,
  trace,
  type Backend,
  type DeviceArray,
  type Executable,
  type RunInput,
  type Tensor,
} from '@meanflow/core';
import { pick } from '@meanflow/core/validation';
import {
  behaviour,
  casesOf,
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
import { constantCases } from './constants.js';
import { memoryCases } from './memory.js';

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

const SIZE = 2 ** 14;

/** All of them. */
export function stateCases(): BehaviourCase[] {
  const { of, counting } = casesOf('state', 'state');
  return [
    counting(3)('goes from run to run', async (executable) => {
      let counter: RunInput = f32([0, 1, 2]);
      for (let i = 1; i <= 5; i++) {
        const results: Awaited<ReturnType<Executable['run']>> = await executable.run({
          counter,
          step: scalar(i),
        });
        expectValues('the total', await results.total!.read(), [3 + (3 * i * (i + 1)) / 2]);
        results.total!.dispose();
        counter = results.counter!;
      }
      expect('dispose' in counter, 'A run must return device arrays.');
      expectValues('the state', await counter.read(), [15, 16, 17]);
      counter.dispose();
    }),
    counting(3)('is consumed by the run that takes it', async (executable) => {
      const first = await executable.run({ counter: f32([0, 1, 2]), step: scalar(1) });
      const second = await executable.run({ counter: first.counter!, step: scalar(1) });
      await expectRejection('read() of a donated array', () => first.counter!.read(), DisposedError);
      const again = { counter: first.counter!, step: scalar(1) };
      await expectRejection('a run on a donated array', () => executable.run(again), DisposedError);
      expectValues('the state', await second.counter!.read(), [2, 3, 4]);
      first.counter!.dispose();
      expectValues('the state, after the old one’s dispose()', await second.counter!.read(), [2, 3, 4]);
      disposeAll(first);
      disposeAll(second);
    }),
    of('that is not declared is not consumed', (backend) =>
      withExecutable(backend, counterGraph(3), {}, async (executable) => {
        const first = await executable.run({ counter: f32([0, 1, 2]), step: scalar(1) });
        const second = await executable.run({ counter: first.counter!, step: scalar(1) });
        expectValues('the first', await first.counter!.read(), [1, 2, 3]);
        expectValues('the second', await second.counter!.read(), [2, 3, 4]);
        disposeAll(first);
        disposeAll(second);
      }),
    ),
    of('that a run leaves as it is goes on', async (backend) => {
      const { graph } = trace(
        ({ kept, moved }: Record<'kept' | 'moved', Tensor>) => ({ kept, moved: add(moved, kept) }),
        { kept: spec([2]), moved: spec([2]) },
        { name: 'kept' },
      );
      await withExecutable(backend, graph, { kept: 'kept', moved: 'moved' }, async (executable) => {
        let state: Record<string, RunInput> = { kept: f32([1, 2]), moved: f32([0, 0]) };
        for (let i = 0; i < 3; i++) state = await executable.run(state);
        const { kept, moved } = pick(state as Record<string, DeviceArray>, 'kept', 'moved');
        expectValues('what was kept', await kept.read(), [1, 2]);
        expectValues('what it was added to', await moved.read(), [3, 6]);
        disposeAll({ kept, moved });
      });
    }),
    of('whose parts change places', async (backend) => {
      const { graph } = trace(({ a, b }: Record<'a' | 'b', Tensor>) => ({ a: b, b: mul(a, 2) }), {
        a: spec([2]),
        b: spec([2]),
      });
      await withExecutable(backend, graph, { a: 'a', b: 'b' }, async (executable) => {
        let state: Record<string, RunInput> = { a: f32([1, 2]), b: f32([10, 20]) };
        for (let i = 0; i < 3; i++) state = await executable.run(state);
        const { a, b } = pick(state as Record<string, DeviceArray>, 'a', 'b');
        expectValues('the first part', await a.read(), [20, 40]);
        expectValues('the second', await b.read(), [4, 8]);
        disposeAll({ a, b });
      });
    }),
    of('that is given for another input as well', async (backend) => {
      const { graph } = trace(({ a, b }: Record<'a' | 'b', Tensor>) => ({ a: add(a, b), b: sub(a, b) }), {
        a: spec([2]),
        b: spec([2]),
      });
      await withExecutable(backend, graph, { a: 'a' }, async (executable) => {
        const first = await executable.run({ a: f32([3, 4]), b: f32([1, 1]) });
        const next = await executable.run({ a: first.a!, b: first.a! });
        expectValues('the sum', await next.a!.read(), [8, 10]);
        expectValues('the difference', await next.b!.read(), [0, 0]);
        await expectRejection('read() of a donated array', () => first.a!.read(), DisposedError);
        expectValues('the other result', await first.b!.read(), [2, 3]);
        disposeAll(first);
        disposeAll(next);
      });
    }),
    behaviour('state', 'state', 'makes no host traffic', residency, ['counters']),
    ...constantCases(),
    ...memoryCases(),
  ];
}

function residency(backend: Backend): Promise<Finding> {
  return withExecutable(backend, counterGraph(SIZE), { counter: 'counter' }, async (executable) => {
    const { counters } = executable as Partial<CountingExecutable>;
    if (counters === undefined) return { unsupported: 'its executables expose no `counters`' };
    // A copy: the counters may be one object that changes.
    const read = (): TransferCounters => ({ ...(executable as CountingExecutable).counters });
    let { counter, total } = pick(
      await executable.run({ counter: floats([SIZE]), step: scalar(1) }),
      'counter',
      'total',
    );
    total.dispose();
    const before = read();
    const runs = 10;
    for (let i = 0; i < runs; i++) {
      ({ counter, total } = pick(await executable.run({ counter, step: scalar(1) }), 'counter', 'total'));
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
