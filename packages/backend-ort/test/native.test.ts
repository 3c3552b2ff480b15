/** What the native binding does beyond what the conformance kit asks of any backend. */
import * as mf from '@meanflow/core';
import { ortBackend, type OrtBackendOptions } from '../src/index.js';
import type { NativeMemory } from '../src/native/native-device.js';
import type { NativeProgram } from '../src/native/native-program.js';
import { floats, normal, ort } from './support.js';

const koffi = () => import('koffi');

const open = async (options: Partial<OrtBackendOptions> = {}) => {
  const backend = await ortBackend({ ort, koffi, threads: 1, binding: 'native', ...options });
  return { backend, memory: () => backend.memory() as unknown as NativeMemory & { arrays: number } };
};

const counter = mf.trace(
  ({ state, step }: Record<'state' | 'step', mf.Tensor>) => ({ state: state.add(step), loss: mf.sum(state) }),
  { state: mf.spec([64]), step: mf.spec([]) },
).graph;

/** Long enough to be seen under way: products one after the other. */
const long = (count: number): mf.Graph =>
  mf.trace(
    (x: mf.Tensor) => {
      let y = x;
      for (let i = 0; i < count; i++) y = mf.tanh(mf.matmul(y, x));
      return { y };
    },
    mf.spec([256, 256]),
    { name: 'long' },
  ).graph;

describe('which binding', () => {
  const described = async (options: Partial<OrtBackendOptions>): Promise<string> => {
    const backend = await ortBackend({ ort, threads: 1, ...options });
    await backend.dispose();
    return backend.describe().description;
  };

  test('native by default, and public where that is asked for or all there can be', async () => {
    const module = (await ort()) as object;
    const { InferenceSession } = module as { InferenceSession: { create: unknown } };
    const standIn = { ...module, InferenceSession: { create: InferenceSession.create } };
    expect(await described({})).toMatch(/native binding (and|without) own kernels/);
    expect(await described({ binding: 'public' })).toMatch(/public binding \(as asked\)$/);
    expect(await described({ ort: standIn })).toMatch(/public binding \(.*stands for it.*\)$/);
    const sessionOptions = { freeDimensionOverrides: {} };
    expect(await described({ sessionOptions })).toMatch(/public binding \(.*"freeDimensionOverrides".*\)$/);
  });

  test('native where it cannot be', async () => {
    const failure = ortBackend({ ort, binding: 'native', sessionOptions: { freeDimensionOverrides: {} } });
    await expect(failure).rejects.toThrow(/asked for and cannot be.*"freeDimensionOverrides"/);
    await expect(
      ortBackend({ ort: () => import('onnxruntime-web'), device: 'wasm', binding: 'native' }),
    ).rejects.toThrow('is for the devices "cpu" and "cuda"');
    await expect(ortBackend({ ort, binding: 'natve' as 'native' })).rejects.toThrow(/Did you mean "native"/);
  });

  test('session options that are wrong', async () => {
    for (const sessionOptions of [{ graphOptimizationLevel: 'most' }, { executionProviders: ['cuda'] }]) {
      await expect(ortBackend({ ort, binding: 'native', sessionOptions })).rejects.toThrow(mf.MeanflowError);
    }
  });
});

test('state goes to and fro between two sets of blocks, and no other is made', async () => {
  const { backend, memory } = await open();
  const executable = await backend.compile(counter, { state: { state: 'state' } });
  let state: mf.RunInput = mf.hostZeros([64]);
  for (let i = 1; i <= 10; i++) {
    const results = await executable.run({ state, step: floats([1], []) });
    expect((await results.loss.read()).item()).toBe(64 * (i - 1));
    results.loss.dispose();
    state = results.state;
  }
  // Two for the state, one for the loss.
  expect(memory()).toMatchObject({ allocated: 3, arrays: 1, idleBytes: 64 * 4 + 4 });
  expect((await (state as mf.DeviceArray).read()).data).toEqual(new Float32Array(64).fill(10));
  await executable.dispose();
  expect(memory()).toMatchObject({ arrays: 1, idleBytes: 0 });
  // What is given up after the program has gone is not kept either.
  (state as mf.DeviceArray).dispose();
  expect(memory()).toMatchObject({ arrays: 0, idleBytes: 0 });
  await backend.dispose();
});

test('runs that fail keep nothing', async () => {
  const { backend, memory } = await open();
  const executable = await backend.compile(counter);
  const { loss, state } = await executable.run({ state: normal([64]), step: floats([1], []) });
  const program = executable.program as NativeProgram;
  const block = (array: mf.DeviceArray) => (array as unknown as { held: never }).held;
  const { allocated } = memory();
  for (let i = 0; i < 10; i++) {
    const run = program.run([block(loss), block(loss)], {
      ...{ signal: undefined, donate: () => undefined, isShared: () => false },
      moved: { hostToDeviceBytes: 0, deviceToHostBytes: 0 },
    });
    await expect(run).rejects.toThrow(/Running graph "main" failed.*in:state/);
  }
  expect(memory().allocated).toBe(allocated + 2);
  expect((await state.read()).shape).toEqual([64]);
  await backend.dispose();
});

test('JavaScript goes on while a graph is compiled and while it runs', async () => {
  const { backend } = await open();
  const meanwhile = async <T>(work: Promise<T>): Promise<[T, number]> => {
    let ticks = 0;
    let isDone = false;
    const done = work.finally(() => (isDone = true));
    while (!isDone) {
      await new Promise((resolve) => setImmediate(resolve));
      ticks += 1;
    }
    return [await done, ticks];
  };
  const [executable, whileCompiled] = await meanwhile(backend.compile(long(300)));
  const [results, whileRun] = await meanwhile(executable.run({ input: normal([256, 256]) }));
  // One, where they block.
  expect(Math.min(whileCompiled, whileRun)).toBeGreaterThan(3);
  expect((await results.y.read()).shape).toEqual([256, 256]);
  await backend.dispose();
});

test('a run is aborted in the middle', async () => {
  const { backend, memory } = await open();
  const executable = await backend.compile(long(400));
  const controller = new AbortController();
  const running = executable.run({ input: normal([256, 256]) }, { signal: controller.signal });
  setTimeout(() => controller.abort(new Error('enough')), 5);
  await expect(running).rejects.toThrow('enough');
  expect(executable.counters.runs).toBe(0);
  expect(memory()).toMatchObject({ allocated: 1, idleBytes: 256 * 256 * 4, arrays: 0 });
  await executable.run({ input: normal([256, 256]) });
  expect(memory()).toMatchObject({ allocated: 1 });
  await backend.dispose();
});
