/** Lifetimes: what outlives what, what is refused after disposal, who owns which memory, and that runs do not mix. */
import {
  add,
  constant,
  DisposedError,
  exp,
  matmul,
  mul,
  neg,
  reshape,
  spec,
  trace,
  type Tensor,
} from '@meanflow/core';
import {
  behaviour,
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
import { f32, floats } from './inputs.js';

const X = () => f32([1, 2, 3]);

/** All of them. */
export function lifetimeCases(): BehaviourCase[] {
  return [...disposalCases(), ...ownershipCases(), ...concurrencyCases(), ...cancellationCases()];
}

function disposalCases(): BehaviourCase[] {
  const of = (variant: string, check: Parameters<typeof behaviour>[3]) =>
    behaviour('disposal', 'lifetime', variant, check);
  return [
    of('an array is refused after dispose(), which may be called twice', (backend) =>
      withExecutable(backend, doubleGraph(), {}, async (executable) => {
        const { y } = await executable.run({ x: X() });
        y.dispose();
        y.dispose();
        await expectRejection('read() of a disposed array', () => y.read(), DisposedError);
        await expectRejection('a run on a disposed array', () => executable.run({ x: y }), DisposedError);
      }),
    ),
    of('an executable is refused after dispose(), which may be called twice', async (backend) => {
      const executable = await backend.compile(doubleGraph());
      await runAndRead(executable, { x: X() });
      await executable.dispose();
      await executable.dispose();
      await expectRejection(
        'run() of a disposed executable',
        () => executable.run({ x: X() }),
        DisposedError,
      );
    }),
    of('results outlive their executable', async (backend) => {
      const executable = await backend.compile(doubleGraph());
      const { y } = await executable.run({ x: X() });
      await executable.dispose();
      expectValues('the result', await y.read(), [2, 4, 6]);
      await withExecutable(backend, doubleGraph(), {}, async (other) => {
        expectValues('a later result', (await runAndRead(other, { x: y })).y, [4, 8, 12]);
      });
      y.dispose();
    }),
    of('one executable’s end leaves another’s', async (backend) => {
      const first = await backend.compile(doubleGraph());
      await withExecutable(backend, doubleGraph(), {}, async (second) => {
        await first.dispose();
        expectValues('the other executable', (await runAndRead(second, { x: X() })).y, [2, 4, 6]);
      });
    }),
  ];
}

function ownershipCases(): BehaviourCase[] {
  const of = (variant: string, check: Parameters<typeof behaviour>[3]) =>
    behaviour('ownership', 'lifetime', variant, check);
  return [
    of('host inputs stay as they are', (backend) =>
      withExecutable(backend, counterGraph(3), { counter: 'counter' }, async (executable) => {
        const counter = X();
        disposeAll(await executable.run({ counter, step: scalar(5) }));
        disposeAll(await executable.run({ counter, step: scalar(5) }));
        expectValues('the host array', counter, [1, 2, 3]);
      }),
    ),
    of('read() gives a copy', (backend) =>
      withExecutable(backend, doubleGraph(), {}, async (executable) => {
        const { y } = await executable.run({ x: X() });
        (await y.read()).data.fill(0);
        expectValues('a second read()', await y.read(), [2, 4, 6]);
        const again = await runAndRead(executable, { x: y });
        expectValues('a run on the array', again.y, [4, 8, 12]);
        y.dispose();
      }),
    ),
    of('a later run leaves earlier results', (backend) =>
      withExecutable(backend, doubleGraph(), {}, async (executable) => {
        const first = await executable.run({ x: X() });
        const second = await executable.run({ x: f32([7, 8, 9]) });
        expectValues('the first result', await first.y.read(), [2, 4, 6]);
        first.y.dispose();
        expectValues('the second result', await second.y.read(), [14, 16, 18]);
        second.y.dispose();
      }),
    ),
    of('an input, a constant and one value twice as outputs, each its own', async (backend) => {
      const { graph } = trace(
        ({ x }: { x: Tensor }) => {
          const y = neg(x);
          return { same: x, y, again: y, reshaped: reshape(x, [3, 1]), fixed: constant([4, 5]) };
        },
        { x: spec([3]) },
        { name: 'aliases' },
      );
      await withExecutable(backend, graph, {}, async (executable) => {
        const results = await executable.run({ x: X() });
        results.y.dispose();
        results.same.dispose();
        expectValues('again', await results.again.read(), [-1, -2, -3]);
        expectValues('reshaped', await results.reshaped.read(), [1, 2, 3]);
        expectValues('fixed', await results.fixed.read(), [4, 5]);
        disposeAll(results);
        expectValues('fixed, in a second run', (await runAndRead(executable, { x: X() })).fixed, [4, 5]);
      });
    }),
    of('one device array as several inputs', async (backend) => {
      const { graph } = trace(
        ({ a, b }: { a: Tensor; b: Tensor }) => ({ y: add(a, mul(b, 10)) }),
        { a: spec([3]), b: spec([3]) },
        { name: 'two' },
      );
      await withExecutable(backend, doubleGraph(), {}, async (double) => {
        await withExecutable(backend, graph, {}, async (executable) => {
          const { y } = await double.run({ x: X() });
          expectValues('a + 10 b', (await runAndRead(executable, { a: y, b: y })).y, [22, 44, 66]);
          expectValues('the array afterwards', await y.read(), [2, 4, 6]);
          y.dispose();
        });
      });
    }),
    of('a result of one executable is another’s input', (backend) =>
      withExecutable(backend, doubleGraph(), {}, (first) =>
        withExecutable(backend, doubleGraph(), {}, async (second) => {
          const { y } = await first.run({ x: X() });
          expectValues('twice doubled', (await runAndRead(second, { x: y })).y, [4, 8, 12]);
          y.dispose();
        }),
      ),
    ),
  ];
}

function concurrencyCases(): BehaviourCase[] {
  const of = (variant: string, check: Parameters<typeof behaviour>[3]) =>
    behaviour('concurrency', 'lifetime', variant, check);
  return [
    of('runs that are started together do not mix', (backend) =>
      withExecutable(backend, doubleGraph(), {}, async (executable) => {
        const runs = await Promise.all(
          [1, 10, 100, 1000].map((x) => runAndRead(executable, { x: f32([x, x, x]) })),
        );
        runs.forEach(({ y }, i) => expectValues(`run ${i}`, y, new Array<number>(3).fill(2 * 10 ** i)));
      }),
    ),
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
          expectValues('the small one', b.y, [2, 4, 6]);
          for (const together of [a, c]) expectValues('the large one', together.y, [...alone.y.data]);
        }),
      );
    }),
    of('a state alternates between two executables', (backend) =>
      withExecutable(backend, counterGraph(2), { counter: 'counter' }, (first) =>
        withExecutable(backend, counterGraph(2), { counter: 'counter' }, async (second) => {
          let { counter } = await first.run({ counter: f32([0, 1]), step: scalar(1) });
          for (let i = 0; i < 3; i++) {
            ({ counter } = await second.run({ counter, step: scalar(10) }));
            ({ counter } = await first.run({ counter, step: scalar(1) }));
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
  return [
    behaviour('cancellation', 'lifetime', 'rejects with the reason and leaves the state', (backend) =>
      withExecutable(backend, counterGraph(2), { counter: 'counter' }, async (executable) => {
        const reason = new Error('stop here');
        const first = await executable.run({ counter: f32([0, 1]), step: scalar(1) });
        let caught: unknown;
        const inputs = { counter: first.counter, step: scalar(1) };
        await executable.run(inputs, { signal: abortedSignal(reason) }).catch((error) => (caught = error));
        expect(caught === reason, `The run must reject with the signal's reason, got ${String(caught)}.`);
        expectValues('the state after the aborted run', await first.counter.read(), [1, 2]);
        const next = await executable.run(inputs);
        expectValues('the next run', await next.counter.read(), [2, 3]);
        disposeAll(next);
        disposeAll(first);
      }),
    ),
    behaviour('cancellation', 'lifetime', 'a signal that is not aborted changes nothing', (backend) =>
      withExecutable(backend, doubleGraph(), {}, async (executable) => {
        const signal = { aborted: false, throwIfAborted: () => undefined };
        const { y } = await executable.run({ x: X() }, { signal });
        expectValues('the result', await y.read(), [2, 4, 6]);
        y.dispose();
      }),
    ),
  ];
}
