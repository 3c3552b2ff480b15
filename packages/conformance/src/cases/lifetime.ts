/** Lifetimes: what outlives what, what is refused after disposal, and who owns which memory. */
import {
  add,
  constant,
  DisposedError,
  logicalNot,
  mul,
  neg,
  reshape,
  spec,
  trace,
  type Tensor,
} from '@meanflow/core';
import { pick } from '@meanflow/core/validation';
import {
  casesOf,
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
import { bool, f32, i32 } from './inputs.js';

const X = () => f32([1, 2, 3]);

/** All of them. */
export function lifetimeCases(): BehaviourCase[] {
  return [...disposalCases(), ...ownershipCases()];
}

function disposalCases(): BehaviourCase[] {
  const { of, doubling } = casesOf('disposal', 'lifetime');
  return [
    doubling('an array is refused after dispose(), which may be called twice', async (executable) => {
      const { y } = pick(await executable.run({ x: X() }), 'y');
      y.dispose();
      y.dispose();
      await expectRejection('read() of a disposed array', () => y.read(), DisposedError);
      await expectRejection('a run on a disposed array', () => executable.run({ x: y }), DisposedError);
    }),
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
      const { y } = pick(await executable.run({ x: X() }), 'y');
      await executable.dispose();
      expect(
        y.dtype === 'float32' && y.shape.join() === '3',
        `The result is float32[3], called ${y.dtype}[${y.shape.join()}].`,
      );
      expectValues('the result', await y.read(), [2, 4, 6]);
      await withExecutable(backend, doubleGraph(), {}, async (other) => {
        expectValues('a later result', (await runAndRead(other, { x: y })).y!, [4, 8, 12]);
      });
      y.dispose();
    }),
    of('one executable’s end leaves another’s', async (backend) => {
      const first = await backend.compile(doubleGraph());
      await withExecutable(backend, doubleGraph(), {}, async (second) => {
        await first.dispose();
        expectValues('the other executable', (await runAndRead(second, { x: X() })).y!, [2, 4, 6]);
      });
    }),
  ];
}

function ownershipCases(): BehaviourCase[] {
  const { of, doubling, counting } = casesOf('ownership', 'lifetime');
  return [
    counting(3)('host inputs stay as they are', async (executable) => {
      const counter = X();
      disposeAll(await executable.run({ counter, step: scalar(5) }));
      disposeAll(await executable.run({ counter, step: scalar(5) }));
      expectValues('the host array', counter, [1, 2, 3]);
    }),
    doubling('read() gives a copy', async (executable) => {
      const { y } = pick(await executable.run({ x: X() }), 'y');
      (await y.read()).data.fill(0);
      expectValues('a second read()', await y.read(), [2, 4, 6]);
      const again = await runAndRead(executable, { x: y });
      expectValues('a run on the array', again.y!, [4, 8, 12]);
      y.dispose();
    }),
    of('read() gives a copy of every dtype, and of an input that is returned', async (backend) => {
      const { graph } = trace(
        ({ i, b }: { i: Tensor; b: Tensor }) => ({ i: add(i, 1), b: logicalNot(b), same: i, sameBool: b }),
        { i: spec([2], 'int32'), b: spec([2], 'bool') },
        { name: 'integers' },
      );
      await withExecutable(backend, graph, {}, async (executable) => {
        const given = { i: i32([1, 2]), b: bool([1, 0]) };
        const results = await executable.run(given);
        const wanted = { i: [2, 3], b: [0, 1], same: [1, 2], sameBool: [1, 0] };
        for (const [name, values] of Object.entries(wanted)) {
          (await results[name]!.read()).data.fill(1);
          expectValues(`a second read() of ${name}`, await results[name]!.read(), values);
        }
        expectValues('the host array', given.i, [1, 2]);
        const again = await runAndRead(executable, { i: results.i!, b: results.b! });
        expectValues('a run on the array', again.i!, [3, 4]);
        disposeAll(results);
      });
    }),
    doubling('a later run leaves earlier results', async (executable) => {
      const first = await executable.run({ x: X() });
      const second = await executable.run({ x: f32([7, 8, 9]) });
      expectValues('the first result', await first.y!.read(), [2, 4, 6]);
      first.y!.dispose();
      expectValues('the second result', await second.y!.read(), [14, 16, 18]);
      second.y!.dispose();
    }),
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
        results.y!.dispose();
        results.same!.dispose();
        expectValues('again', await results.again!.read(), [-1, -2, -3]);
        expectValues('reshaped', await results.reshaped!.read(), [1, 2, 3]);
        expectValues('fixed', await results.fixed!.read(), [4, 5]);
        disposeAll(results);
        expectValues('fixed, in a second run', (await runAndRead(executable, { x: X() })).fixed!, [4, 5]);
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
          const { y } = pick(await double.run({ x: X() }), 'y');
          expectValues('a + 10 b', (await runAndRead(executable, { a: y, b: y })).y!, [22, 44, 66]);
          expectValues('the array afterwards', await y.read(), [2, 4, 6]);
          y.dispose();
        });
      });
    }),
    of('inputs and outputs of any name', async (backend) => {
      const names = ['a', 'a.b', 'a/b', 'a b', 'Ω', '0', 'float', 'in:a', 'constructor', '__proto'];
      const { graph } = trace(
        (given: Readonly<Record<string, Tensor>>) =>
          Object.fromEntries(names.map((name, i) => [name, mul(given[name]!, i + 2)])),
        Object.fromEntries(names.map((name) => [name, spec([1])])),
        { name: 'names' },
      );
      await withExecutable(backend, graph, {}, async (executable) => {
        const inputs = Object.fromEntries(names.map((name, i) => [name, f32([10 * i + 1])]));
        const results = await runAndRead(executable, inputs);
        names.forEach((name, i) =>
          expectValues(`output "${name}"`, results[name]!, [(10 * i + 1) * (i + 2)]),
        );
      });
    }),
    of('a result of one executable is another’s input', (backend) =>
      withExecutable(backend, doubleGraph(), {}, (first) =>
        withExecutable(backend, doubleGraph(), {}, async (second) => {
          const { y } = pick(await first.run({ x: X() }), 'y');
          expectValues('twice doubled', (await runAndRead(second, { x: y })).y!, [4, 8, 12]);
          y.dispose();
        }),
      ),
    ),
  ];
}
