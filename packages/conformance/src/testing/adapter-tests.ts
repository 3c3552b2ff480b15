/**
 * Tests that several adapters pass beyond the kit: a runtime whose functions are accurate to a few roundings, far from 0 as
 * well, and whose runs wait for each other.
 */
import * as mf from '@meanflow/core';
import { BackendError, type Backend } from '@meanflow/core';
import { pick } from '@meanflow/core/validation';
import {
  counterGraph,
  disposeAll,
  expect,
  expectRejection,
  expectValues,
  scalar,
  withExecutable,
} from '../cases/behaviour.js';
import type { SuiteFunctions } from '../describe.js';
import { floats, normal } from './arrays.js';
import { check, type Accuracy } from './reference.js';

/** What such tests need. */
export interface AdapterTests extends Pick<SuiteFunctions, 'test'> {
  /** The backend, opened before or now; whoever gives it disposes of it. */
  readonly backend: () => Promise<Backend>;
}

type Unary = (x: mf.Tensor) => mf.Tensor;
const FUNCTIONS: readonly (readonly [string, Unary, Accuracy])[] = [
  ['sqrt', mf.sqrt, 'arithmetic'],
  ['rsqrt', mf.rsqrt, 'function'],
  ['exp', mf.exp, 'function'],
  ['log', mf.log, 'function'],
  ['sin', mf.sin, 'function'],
  ['cos', mf.cos, 'function'],
  ['tanh', mf.tanh, 'function'],
  ['sigmoid', mf.sigmoid, 'function'],
  ['erf', mf.erf, 'function'],
];

/** Tests of functions' roundings, far from 0 as well. */
export function accuracyTests({ test, backend }: AdapterTests): void {
  const numbers = [0, -0, 1, -1, 0.5, -0.5, 2, -2.5, 3.7, -3.7, 17, -17, 80, -80, 1e-30];
  for (const [name, f, accuracy] of FUNCTIONS) {
    test(name, async () => {
      for (const x of [floats(numbers), normal([3, 5, 7])]) await check(await backend(), f, [x], accuracy);
    });
  }
  test('pow', async () => {
    const [bases, exponents] = [[0.5, 1, 2, 9], [0, 1, 2, -1, 0.5, 3.3, -2.5]]; // prettier-ignore
    const left = floats(bases.flatMap((base) => exponents.map(() => base)));
    const right = floats(bases.flatMap(() => exponents));
    await check(await backend(), mf.pow, [left, right], 'function');
  });
  test('quotients', async () => {
    const operands = [normal([40, 1]), normal([50], 'y')];
    await check(await backend(), mf.div, operands, 'arithmetic');
  });
}

/** Tests of executables whose runs wait for each other, and which take no other backend's arrays. */
export function executableTests({ test, backend }: AdapterTests): void {
  const graph = counterGraph(3);
  const state = { counter: 'counter' };
  const inputs = { counter: floats([0, 0, 0]), step: scalar(1) };

  test('a signal that fires while a run waits stops it', async () => {
    await withExecutable(await backend(), graph, state, async (executable) => {
      const controller = new AbortController();
      const reason = new mf.MeanflowError('stop here');
      const running = executable.run(inputs);
      const waiting = executable.run(inputs, { signal: controller.signal });
      controller.abort(reason);
      const error = await expectRejection('the run that waits', () => waiting, mf.MeanflowError);
      expect(error === reason, `The run must reject with the signal's reason, got ${String(error)}.`);
      const first = await running;
      expectValues('the run before it', await first.counter!.read(), [1, 1, 1]);
      disposeAll(first);
    });
  });

  test('an array of another backend is not taken in silence', async () => {
    await withExecutable(mf.referenceBackend(), graph, {}, async (elsewhere) => {
      const { counter } = pick(await elsewhere.run(inputs), 'counter');
      await withExecutable(await backend(), graph, state, async (executable) => {
        const run = () => executable.run({ ...inputs, counter });
        const { message } = await expectRejection(
          'an array of another backend',
          run,
          BackendError,
          mf.ArgumentError,
        );
        expect(message.includes('another backend'), `The error must say where it is from: ${message}`);
      });
    });
  });
}
