/**
 * State on a GPU by the native binding, with the processor in the GPU's place: blocks lie in the arena of a session there, and are
 * read by sessions. What is asked of the CUDA provider is noted and not passed on.
 */
import * as mf from '@meanflow/core';
import { backendOn } from '@meanflow/core/backend';
import type { OrtApi } from '../../src/native/c-api.js';
import { cudaDefaults, cudaEntries } from '../../src/native/cuda-provider.js';
import { OrtLibrary } from '../../src/native/library.js';
import { NativeDevice } from '../../src/native/native-device.js';
import { floats, ints, ort } from '../support.js';

interface Asked {
  /** How many options each session's provider was given. */
  readonly providers: number[];
  readonly places: unknown[];
  /** Of what is released: how many there are. */
  readonly live: { sessions: number; values: number; allocators: number };
}

async function standIn(): Promise<{ library: OrtLibrary; asked: Asked }> {
  await ort();
  const library = await OrtLibrary.open(() => import('koffi'));
  const { api: real } = library;
  const asked: Asked = { providers: [], places: [], live: { sessions: 0, values: 0, allocators: 0 } };
  const { live } = asked;
  const counted =
    <K extends keyof typeof live, A extends unknown[], R>(what: K, by: number, f: (...args: A) => R) =>
    (...args: A): R => {
      live[what] += by;
      return f(...args);
    };
  const replaced = {
    CreateCUDAProviderOptions: () => 1n,
    UpdateCUDAProviderOptions: (_: unknown, __: unknown, ___: unknown, count: number) =>
      void asked.providers.push(count),
    SessionOptionsAppendExecutionProvider_CUDA_V2: () => undefined,
    ReleaseCUDAProviderOptions: () => undefined,
    // The processor is no detour here.
    AddSessionConfigEntry: (...args: Parameters<typeof real.AddSessionConfigEntry>) =>
      args[1] === 'session.disable_cpu_ep_fallback' ? undefined : real.AddSessionConfigEntry(...args),
    CreateMemoryInfo: (...[name, kind, id, type]: Parameters<typeof real.CreateMemoryInfo>) => {
      asked.places.push([name, kind, id, type]);
      return real.CreateMemoryInfo('Cpu', kind, 0, type);
    },
    CreateSessionFromArray: { async: counted('sessions', 1, real.CreateSessionFromArray.async) },
    ReleaseSession: counted('sessions', -1, real.ReleaseSession),
    CreateTensorAsOrtValue: counted('values', 1, real.CreateTensorAsOrtValue),
    CreateTensorWithDataAsOrtValue: counted('values', 1, real.CreateTensorWithDataAsOrtValue),
    ReleaseValue: counted('values', -1, real.ReleaseValue),
    CreateAllocator: counted('allocators', 1, real.CreateAllocator),
    ReleaseAllocator: counted('allocators', -1, real.ReleaseAllocator),
  };
  const api = Object.assign(Object.create(real) as OrtApi, replaced);
  return { library: Object.assign(Object.create(library) as OrtLibrary, { api }), asked };
}

async function open() {
  const { library, asked } = await standIn();
  const device = await NativeDevice.open(library, {
    settings: {
      executionProviders: [{ name: 'cuda', deviceId: 1 }],
      extra: { session: { disable_cpu_ep_fallback: '1' } },
    },
    info: { backend: 'ort:cuda', device: 'cuda', description: 'stand-in', versions: {} },
    help: '',
    kernels: undefined,
    cuda: { name: 'Cuda', id: 1, options: cudaDefaults(false) },
  });
  return { backend: backendOn(device), asked };
}

const counter = mf.trace(
  ({ state, step }: Record<'state' | 'step', mf.Tensor>) => ({ state: state.add(step), loss: mf.sum(state) }),
  { state: mf.spec([64]), step: mf.spec([]) },
).graph;

test('state stays in two sets of blocks on the device, and what is read is counted', async () => {
  const { backend, asked } = await open();
  const executable = await backend.compile(counter, { state: { state: 'state' } });
  let state: mf.RunInput = mf.hostZeros([64]);
  for (let i = 1; i <= 10; i++) {
    const results = await executable.run({ state, step: floats([1], []) });
    expect((await results.loss!.read()).item()).toBe(64 * (i - 1));
    results.loss!.dispose();
    state = results.state!;
  }
  expect(backend.memory()).toMatchObject({ allocated: 3, arrays: 1, idleBytes: 64 * 4 + 4 });
  // The first state and a number in each run in, a number in each out.
  expect(executable.counters).toEqual({
    ...{ runs: 10, hostToDeviceBytes: 64 * 4 + 10 * 4, deviceToHostBytes: 10 * 4 },
  });
  expect((await (state as mf.DeviceArray).read()).data).toEqual(new Float32Array(64).fill(10));
  expect(asked.places).toEqual([['Cuda', 0, 1, 0]]);
  // Every session has the provider, with all of its options: the probe, the graph, and one that reads.
  expect(asked.providers).toEqual([4, 4, 4]);
  await backend.dispose();
});

test('arrays outlive the programs that made them, and nothing outlives the arrays', async () => {
  const { backend, asked } = await open();
  const { graph } = mf.trace(
    (x: mf.Tensor) => ({ whole: x.cast('int32'), isBig: x.greater(1.5), empty: x.slice([0], [0]) }),
    mf.spec([3]),
  );
  const executable = await backend.compile(graph);
  const results = await executable.run({ input: floats([1, 2, 3]) });
  await backend.dispose();
  expect(asked.live.allocators).toBe(1);
  expect((await results.whole!.read()).data).toEqual(Int32Array.of(1, 2, 3));
  expect((await results.isBig!.read()).data).toEqual(Uint8Array.of(0, 1, 1));
  expect((await results.empty!.read()).shape).toEqual([0]);
  for (const array of Object.values(results)) array.dispose();
  await new Promise((resolve) => setImmediate(resolve));
  expect(asked.live).toEqual({ sessions: 0, values: 0, allocators: 0 });
});

test('constants lie in the session, and are moved once', async () => {
  const { backend } = await open();
  const { graph } = mf.trace(({ a, b }: Record<'a' | 'b', mf.Tensor>) => ({ sum: a.add(b) }), {
    a: mf.spec([2], 'int32'),
    b: mf.spec([2], 'int32'),
  });
  const executable = await backend.compile(graph, { constants: { b: ints([10, 20]) } });
  for (const a of [1, 2]) {
    const { sum } = await executable.run({ a: ints([a, a]) });
    expect((await sum!.read()).data).toEqual(Int32Array.of(10 + a, 20 + a));
  }
  expect(executable.counters.hostToDeviceBytes).toBe(8 + 2 * 8);
  await backend.dispose();
});

test("the provider's options", () => {
  expect(
    cudaEntries({ name: 'cuda', deviceId: 2, gpu_mem_limit: 1e9, prefer_nhwc: true }, cudaDefaults(true)),
  ).toEqual({
    ...{ device_id: '2', use_tf32: '1', arena_extend_strategy: 'kSameAsRequested' },
    ...{ cudnn_conv_algo_search: 'HEURISTIC', gpu_mem_limit: '1000000000', prefer_nhwc: '1' },
  });
  expect(
    cudaEntries({ name: 'cuda', use_tf32: '1', tunable_op_enable: undefined }, cudaDefaults(false)),
  ).toMatchObject({
    ...{ device_id: '0', use_tf32: '1' },
  });
  expect(() => cudaEntries({ name: 'cuda', user_compute_stream: {} }, {})).toThrow(
    /"user_compute_stream" of cuda is a text/,
  );
});
