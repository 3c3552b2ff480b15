import * as mf from '@meanflow/core';
import { describeWebgpu, openWebgpu } from './devices.js';
import { bools, floats, ints, ort } from './support.js';

const { graph: counter } = mf.trace(
  ({ state, step }: Record<'state' | 'step', mf.Tensor>) => ({ state: state.add(step), twice: state.mul(2) }),
  { state: mf.spec([3]), step: mf.spec([]) },
  { name: 'counter' },
);
const step = floats([1], []);

describeWebgpu('ort:webgpu', () => {
  test('names its adapter', async () => {
    const backend = await openWebgpu();
    expect(backend.describe()).toMatchObject({ backend: 'ort:webgpu', device: 'webgpu' });
    expect(backend.describe().description).toMatch(/\S.*; buffers of \d+ MiB$/);
    await backend.dispose();
  });

  test('asks ONNX Runtime for results in GPU buffers and for no CPU fallback', async () => {
    const module = await import('onnxruntime-node');
    const seen: object[] = [];
    const watching = {
      ...{ env: module.env, Tensor: module.Tensor },
      InferenceSession: {
        create: (model: Uint8Array, options: object) => {
          seen.push(options);
          return module.InferenceSession.create(model, options);
        },
      },
    };
    const backend = await openWebgpu({ ort: async () => watching });
    expect(seen[0]).toMatchObject({
      preferredOutputLocation: 'gpu-buffer',
      extra: { session: { disable_cpu_ep_fallback: '1' } },
    });
    await backend.dispose();
  });

  test('state stays in GPU buffers, and each step frees the one before', async () => {
    const module = await import('onnxruntime-node');
    const locations: string[] = [];
    let results: Record<string, { readonly location: string }> = {};
    const watching = {
      ...{ env: module.env, Tensor: module.Tensor },
      InferenceSession: {
        async create(model: Uint8Array, options: object) {
          const session = await module.InferenceSession.create(model, options);
          const run = session.run.bind(session);
          session.run = async (feeds: object) => {
            results = (await run(feeds as never)) as typeof results;
            locations.push(...Object.values(results).map(({ location }) => location));
            return results as never;
          };
          return session;
        },
      },
    };
    const backend = await openWebgpu({ ort: async () => watching });
    const executable = await backend.compile(counter, { state: { state: 'state' } });
    let { state, twice } = await executable.run({ state: floats([0, 0, 0]), step });
    const first = results['out:state'];
    twice.dispose();
    for (let i = 0; i < 5; i++) {
      ({ state, twice } = await executable.run({ state, step }));
      twice.dispose();
    }
    expect(new Set(locations)).toEqual(new Set(['gpu-buffer']));
    expect(first.location).toBe('none');
    expect(executable.counters).toEqual({ runs: 6, hostToDeviceBytes: 12 + 6 * 4, deviceToHostBytes: 0 });
    expect((await state.read()).data).toEqual(Float32Array.of(6, 6, 6));
    expect(executable.counters.deviceToHostBytes).toBe(12);
    state.dispose();
    await backend.dispose();
  });

  test('an array may be disposed of while a run or a read is using it', async () => {
    const backend = await openWebgpu();
    const executable = await backend.compile(counter);
    const { state, twice } = await executable.run({ state: floats([1, 2, 3]), step });
    twice.dispose();
    const reading = state.read();
    state.dispose();
    expect((await reading).data).toEqual(Float32Array.of(2, 3, 4));
    await expect(state.read()).rejects.toThrow(mf.DisposedError);
    await backend.dispose();
  });

  test('arrays of every dtype are read, also after the backend was disposed of', async () => {
    const { graph } = mf.trace(
      ({ x, i, b }: Record<'x' | 'i' | 'b', mf.Tensor>) => ({ x, i, b, none: mf.slice(x, [0], [0]) }),
      { x: mf.spec([3]), i: mf.spec([2], 'int32'), b: mf.spec([2], 'bool') },
    );
    const backend = await openWebgpu();
    const executable = await backend.compile(graph);
    const results = await executable.run({
      x: floats([1, NaN, -0]),
      i: ints([5, -(2 ** 31)]),
      b: bools([1, 0]),
    });
    await backend.dispose();
    expect((await results.x.read()).data).toEqual(Float32Array.of(1, NaN, -0));
    expect((await results.i.read()).data).toEqual(Int32Array.of(5, -(2 ** 31)));
    expect((await results.b.read()).data).toEqual(Uint8Array.of(1, 0));
    expect((await results.none.read()).shape).toEqual([0]);
    for (const array of Object.values(results)) array.dispose();
  });
});

describe('an adapter that was not asked for', () => {
  const adapter = (description: string) => ({
    info: { vendor: 'google', description },
    limits: { maxStorageBufferBindingSize: 2 ** 30 },
  });
  const choosing = (found: object | null) => ({
    gpu: async () => ({ create: () => ({ requestAdapter: async () => found }) }),
    allowSoftware: false,
  });

  test('computes in software', async () => {
    const opened = openWebgpu(choosing(adapter('SwiftShader driver 5.0.0')));
    await expect(opened).rejects.toThrow(mf.BackendError);
    await expect(opened).rejects.toThrow(
      /ort:webgpu was asked for.*software: google SwiftShader.*allowSoftware/,
    );
  });

  test('is none', async () => {
    await expect(openWebgpu(choosing(null))).rejects.toThrow(
      /ort:webgpu was asked for.*no adapter.*Vulkan driver/,
    );
  });

  test('cannot be told', async () => {
    const opened = openWebgpu({ gpu: undefined, allowSoftware: false });
    await expect(opened).rejects.toThrow(/npm install webgpu.*allowSoftware/);
    await expect(openWebgpu({ gpu: async () => ({}) })).rejects.toThrow('package `webgpu`');
    const missing = () => Promise.reject(new Error("Cannot find package 'webgpu'"));
    await expect(openWebgpu({ gpu: missing })).rejects.toThrow(/Cannot find package[^]*npm install webgpu/);
  });

  test('is reached through a runtime without the provider', async () => {
    const module = await import('onnxruntime-node');
    const failing = {
      ...{ env: module.env, Tensor: module.Tensor },
      InferenceSession: { create: () => Promise.reject(new Error('webgpu backend not found')) },
    };
    const opened = openWebgpu({ ...choosing(adapter('A GPU')), ort: async () => failing });
    await expect(opened).rejects.toThrow(/ort:webgpu was asked for[^]*onnxruntime-web[^]*backend not found/);
  });
});

test('gpu is not asked for by other devices', async () => {
  const { ortBackend } = await import('../src/index.js');
  const backend = await ortBackend({ ort, device: 'cpu', gpu: () => Promise.reject(new Error('asked')) });
  await backend.dispose();
});
