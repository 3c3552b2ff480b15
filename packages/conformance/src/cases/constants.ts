/** Constants: inputs that are settled when a graph is compiled, taken then, and given to no run. */
import {
  ArgumentError,
  DTypeError,
  HostArray,
  ShapeError,
  type Backend,
  type CompileOptions,
} from '@meanflow/core';
import {
  casesOf,
  counterGraph,
  disposeAll,
  expectRejection,
  expectValues,
  runAndRead,
  scalar,
} from './behaviour.js';
import type { BehaviourCase } from './case.js';
import { f32 } from './inputs.js';

const compiling = async (backend: Backend, options: CompileOptions) =>
  backend.compile(counterGraph(3), options);

/** All of them. */
export function constantCases(): BehaviourCase[] {
  const { of } = casesOf('constants', 'state');
  return [
    of('are read by every run', async (backend) => {
      const step = scalar(2);
      await using executable = await compiling(backend, {
        state: { counter: 'counter' },
        constants: { step },
      });
      step.data[0] = 9;
      const first = await executable.run({ counter: f32([0, 1, 2]) });
      const second = await executable.run({ counter: first.counter! });
      expectValues('the state', await second.counter!.read(), [4, 5, 6]);
      disposeAll(first);
      disposeAll(second);
    }),
    of('may be all inputs, lent, and float64', async (backend) => {
      const counter = new HostArray('float64', [3], Float64Array.of(1, 2, 3));
      const constants = { counter, step: scalar(1) };
      await using executable = await compiling(backend, { constants, borrow: true });
      for (let i = 0; i < 2; i++) {
        const { counter: next } = await runAndRead(executable, {});
        expectValues('the result', next!, [2, 3, 4]);
      }
    }),
    of('are given to no run', async (backend) => {
      await using executable = await compiling(backend, { constants: { step: scalar(1) } });
      const both = () => executable.run({ counter: f32([0, 0, 0]), step: scalar(2) });
      await expectRejection('a run that is given a constant', both, ArgumentError);
      const { counter } = await runAndRead(executable, { counter: f32([0, 0, 0]) });
      expectValues('the run after it', counter!, [1, 1, 1]);
    }),
    of('that are none of the graph’s are refused', async (backend) => {
      const wrong: readonly CompileOptions[] = [
        { constants: { nothing: scalar(1) } },
        { constants: { step: f32([1, 2]) } },
        { constants: { step: new HostArray('int32', [], Int32Array.of(1)) } },
        { state: { counter: 'counter' }, constants: { counter: f32([1, 2, 3]) } },
      ];
      for (const options of wrong) {
        await expectRejection(
          `compile() with ${JSON.stringify(options)}`,
          () => compiling(backend, options),
          ...[ArgumentError, DTypeError, ShapeError],
        );
      }
    }),
  ];
}
