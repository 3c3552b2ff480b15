/** Errors: a run or a compilation that does not fit is refused with core's typed errors, and leaves things whole. */
import {
  add,
  ArgumentError,
  DTypeError,
  HostArray,
  MeanflowError,
  PytreeError,
  referenceBackend,
  ShapeError,
  spec,
  trace,
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
import { f32, i32 } from './inputs.js';

const { of, doubling, counting } = casesOf('errors', 'errors');

const INHERITED = ['constructor', '__proto__', 'toString', 'hasOwnProperty'] as const;

/** All of them. */
export function errorCases(): BehaviourCase[] {
  const refused: readonly (readonly [
    string,
    Readonly<Record<string, RunInput>>,
    new (message?: string) => MeanflowError,
    string,
  ])[] = [
    ['a missing input', {}, ArgumentError, 'x'],
    ['an unknown input', { x: f32([1, 2, 3]), z: f32([1]) }, ArgumentError, 'z'],
    ['a wrong shape', { x: f32([1, 2]) }, ShapeError, 'x'],
    ['a wrong rank', { x: f32([1, 2, 3], [1, 3]) }, ShapeError, 'x'],
    ['a wrong dtype', { x: i32([1, 2, 3]) }, DTypeError, 'x'],
  ];
  return [
    ...refused.map(([variant, inputs, error, name]) =>
      doubling(`${variant} is refused, naming it`, async (executable) => {
        const { message } = await expectRejection(
          `run() with ${variant}`,
          () => executable.run(inputs),
          error,
        );
        expect(message.includes(`"${name}"`), `The message must name input "${name}": ${message}`);
        expectValues('a run afterwards', (await runAndRead(executable, { x: f32([1, 2, 3]) })).y!, [2, 4, 6]);
      }),
    ),
    counting(2)('a refused run does not take the state', async (executable) => {
      const first = await executable.run({ counter: f32([0, 1]), step: scalar(1) });
      const wrong = { counter: first.counter!, step: f32([1, 2]) };
      await expectRejection('run() with a wrong step', () => executable.run(wrong), ShapeError);
      expectValues('the state', await first.counter!.read(), [1, 2]);
      disposeAll(first);
    }),
    doubling('float64 stands for float32', async (executable) => {
      const x = new HostArray('float64', [3], Float64Array.of(1, 0.1, 3));
      expectValues('the result', (await runAndRead(executable, { x })).y!, [2, 2 * Math.fround(0.1), 6]);
    }),
    doubling('an array of another backend is refused, or its value taken', async (executable) => {
      const other = await referenceBackend().compile(doubleGraph());
      const { y } = pick(await other.run({ x: f32([1, 2, 3]) }), 'y');
      let result: Record<string, HostArray>;
      try {
        result = await runAndRead(executable, { x: y });
      } catch (error) {
        const shown = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
        expect(error instanceof MeanflowError, `It must be refused with a typed error, got ${shown}`);
        return;
      }
      expectValues('the result', result.y!, [4, 8, 12]);
    }),
    of('names that every object answers to are names like others', async (backend) => {
      const named = <T>(make: (i: number) => T) =>
        Object.fromEntries(INHERITED.map((name, i) => [name, make(i)]));
      const { graph } = trace(
        (given: Readonly<Record<string, Tensor>>) =>
          Object.fromEntries(INHERITED.map((name, i) => [name, add(given[name]!, i)])),
        named(() => spec([2])),
      );
      await withExecutable(
        backend,
        graph,
        named((i) => INHERITED[i]!),
        async (executable) => {
          const missing = Object.fromEntries(Object.entries(named(() => f32([0, 0]))).slice(1));
          const run = () => executable.run(missing);
          const { message } = await expectRejection(`run() without "${INHERITED[0]}"`, run, ArgumentError);
          expect(message.includes(INHERITED[0]), `The message must name what is missing: ${message}`);
          const first = await executable.run(named(() => f32([1, 2])));
          const found = await runAndRead(executable, first);
          for (const [i, name] of INHERITED.entries()) {
            expect(Object.hasOwn(found, name), `The output "${name}" is missing.`);
            expectValues(name, found[name]!, [1 + 2 * i, 2 + 2 * i]);
          }
        },
      );
    }),
    of('a state that names no input or output of one type is refused', async (backend) => {
      const graph = counterGraph(2);
      const wrong: readonly Readonly<Record<string, string>>[] = [
        { nothing: 'counter' },
        { counter: 'nothing' },
        { counter: 'total' },
      ];
      for (const state of wrong) {
        await expectRejection(
          `compile() with the state ${JSON.stringify(state)}`,
          () => backend.compile(graph, { state }),
          ArgumentError,
          DTypeError,
          ShapeError,
          PytreeError,
        );
      }
    }),
  ];
}
