/**
 * Concurrency and cancellation: runs and reads that are started together do not mix, executables that look alike are told
 * apart, equal inputs give equal bits, and what is cancelled or refused leaves the rest whole.
 */
import {
  DisposedError,
  exp,
  matmul,
  mul,
  scatterAdd,
  silu,
  softmax,
  spec,
  sum,
  trace,
  type Executable,
  type RunInput,
  type Tensor,
} from '@meanflow/core';
import { pick } from '@meanflow/core/validation';
import {
  casesOf,
  counterGraph,
  disposeAll,
  doubleGraph,
  expect,
  expectRejection,
  expectValues,
  runAndRead,
  scalar,
  withExecutable,
} from './behaviour.js';
import type { BehaviourCase } from './case.js';
import { f32, floats, ints, normals } from './inputs.js';

const X = () => f32([1, 2, 3]);

/** All of them. */
export function concurrencyCases(): BehaviourCase[] {
  return [...togetherCases(), ...cancellationCases()];
}

function togetherCases(): BehaviourCase[] {
  const { of, doubling, counting } = casesOf('concurrency', 'lifetime');
  return [
    doubling('runs that are started together do not mix', async (executable) => {
      const runs = await Promise.all(
        [1, 10, 100, 1000].map((x) => runAndRead(executable, { x: f32([x, x, x]) })),
      );
      runs.forEach(({ y }, i) => expectValues(`run ${i}`, y!, new Array<number>(3).fill(2 * 10 ** i)));
    }),
    doubling('reads that are started together do not mix', async (executable) => {
      const results = [];
      for (const x of [1, 10, 100, 1000]) results.push(await executable.run({ x: f32([x, x, x]) }));
      const read = await Promise.all([...results, ...results].map(({ y }) => y!.read()));
      read.forEach((y, i) => expectValues(`read ${i}`, y, new Array<number>(3).fill(2 * 10 ** (i % 4))));
      results.forEach(disposeAll);
    }),
    counting(2)('of two runs that are given one state, the second is refused', async (executable) => {
      const { counter, total } = pick(
        await executable.run({ counter: f32([0, 1]), step: scalar(1) }),
        'counter',
        'total',
      );
      total.dispose();
      const first = executable.run({ counter, step: scalar(1) });
      const second = executable.run({ counter, step: scalar(1) });
      await expectRejection('the second run on a state', () => second, DisposedError);
      const next = await first;
      expectValues('the state', await next.counter!.read(), [2, 3]);
      disposeAll(next);
    }),
    of('dispose() waits for the runs before it, and refuses those after it', async (backend) => {
      const executable = await backend.compile(doubleGraph());
      const running = executable.run({ x: X() });
      const disposed = executable.dispose();
      await expectRejection('a run after dispose()', () => executable.run({ x: X() }), DisposedError);
      await disposed;
      const { y } = pick(await running, 'y');
      expectValues('the run before it', await y.read(), [2, 4, 6]);
      y.dispose();
    }),
    of('executables alike but for a constant', async (backend) => {
      const times = (factor: number) =>
        trace(({ x }: { x: Tensor }) => ({ y: mul(exp(mul(x, 0)), factor) }), { x: spec([3]) }, { name: 'alike' })
          .graph; // prettier-ignore
      await withExecutable(backend, times(3), {}, (three) =>
        withExecutable(backend, times(5), {}, async (five) => {
          for (let i = 0; i < 2; i++) {
            expectValues('three times one', (await runAndRead(three, { x: X() })).y!, [3, 3, 3]);
            expectValues('five times one', (await runAndRead(five, { x: X() })).y!, [5, 5, 5]);
          }
        }),
      );
    }),
    of('equal inputs give equal bits, run after run and executable after executable', async (backend) => {
      const { graph } = trace(
        ({ x, w, at }: Record<'x' | 'w' | 'at', Tensor>) => {
          const h = softmax(matmul(silu(matmul(x, w)), w));
          return { rows: scatterAdd(h, at, 7), total: sum(h, 0) };
        },
        { x: spec([256, 64]), w: spec([64, 64]), at: spec([256], 'int32') },
        { name: 'bits' },
      );
      const inputs = { x: normals([256, 64]), w: normals([64, 64], 'w'), at: ints([256], 0, 7, 'rows') };
      let known: Record<string, readonly number[]> | undefined;
      for (let k = 0; k < 2; k++) {
        await withExecutable(backend, graph, {}, async (executable) => {
          for (let i = 0; i < 3; i++) {
            const results = await runAndRead(executable, inputs);
            known ??= Object.fromEntries(
              Object.entries(results).map(([name, { data }]) => [name, [...data]]),
            );
            for (const [name, values] of Object.entries(known)) expectValues(name, results[name]!, values);
          }
        });
      }
    }),
    of('two executables at once', async (backend) => {
      const { graph } = trace(
        ({ x }: { x: Tensor }) => ({ y: exp(matmul(x, x)) }),
        { x: spec([8, 8]) },
        { name: 'other' },
      );
      const input = floats([8, 8], -0.1, 0.1);
      await withExecutable(backend, doubleGraph(), {}, (double) =>
        withExecutable(backend, graph, {}, async (other) => {
          const alone = await runAndRead(other, { x: input });
          const [a, b, c] = await Promise.all([
            runAndRead(other, { x: input }),
            runAndRead(double, { x: X() }),
            runAndRead(other, { x: input }),
          ]);
          expectValues('the small one', b.y!, [2, 4, 6]);
          for (const together of [a, c]) expectValues('the large one', together.y!, [...alone.y!.data]);
        }),
      );
    }),
    of('a state alternates between two executables', (backend) =>
      withExecutable(backend, counterGraph(2), { counter: 'counter' }, (first) =>
        withExecutable(backend, counterGraph(2), { counter: 'counter' }, async (second) => {
          const advance = async (executable: Executable, counter: RunInput, step: number) => {
            const next = await executable.run({ counter, step: scalar(step) });
            next.total!.dispose();
            return next.counter!;
          };
          let counter = await advance(first, f32([0, 1]), 1);
          for (let i = 0; i < 3; i++) {
            counter = await advance(second, counter, 10);
            counter = await advance(first, counter, 1);
          }
          expectValues('the state', await counter.read(), [34, 35]);
          counter.dispose();
        }),
      ),
    ),
  ];
}

/** A signal whose `throwIfAborted` throws the reason it was given. */
function abortedSignal(reason: Error) {
  return {
    aborted: true,
    throwIfAborted: (): void => {
      throw reason;
    },
  };
}

function cancellationCases(): BehaviourCase[] {
  const { doubling, counting } = casesOf('cancellation', 'lifetime');
  return [
    counting(2)('rejects with the reason and leaves the state', async (executable) => {
      const reason = new Error('stop here');
      const first = await executable.run({ counter: f32([0, 1]), step: scalar(1) });
      let caught: unknown;
      const inputs = { counter: first.counter!, step: scalar(1) };
      await executable.run(inputs, { signal: abortedSignal(reason) }).catch((error) => (caught = error));
      expect(caught === reason, `The run must reject with the signal's reason, got ${String(caught)}.`);
      expectValues('the state after the aborted run', await first.counter!.read(), [1, 2]);
      const next = await executable.run(inputs);
      expectValues('the next run', await next.counter!.read(), [2, 3]);
      disposeAll(next);
      disposeAll(first);
    }),
    doubling('a signal that is not aborted changes nothing', async (executable) => {
      const signal = { aborted: false, throwIfAborted: () => undefined };
      const { y } = pick(await executable.run({ x: X() }, { signal }), 'y');
      expectValues('the result', await y.read(), [2, 4, 6]);
      y.dispose();
    }),
  ];
}
