import * as mf from '@meanflow/core';
import type { InferenceSession } from 'onnxruntime-common';
import { driverVersion, settleTf32, type CudaHost } from '../src/cuda.js';
import { ortBackend } from '../src/index.js';
import { floats, ort } from './support.js';

const TF32 = 'NVIDIA_TF32_OVERRIDE';
const foundTf32 = process.env[TF32];
const forgetTf32 = (): void => {
  delete process.env[TF32];
};
beforeEach(forgetTf32);
afterAll(() => {
  forgetTf32();
  if (foundTf32 !== undefined) process.env[TF32] = foundTf32;
});

/** ONNX Runtime with its CPU provider in CUDA's place, and the session options that were asked for. */
async function standIn(replaced: { failure?: string; listSupportedBackends?: () => unknown } = {}) {
  const { failure, ...others } = replaced;
  const module = await import('onnxruntime-node');
  const asked: InferenceSession.SessionOptions[] = [];
  const runtime = {
    ...{ env: module.env, Tensor: module.Tensor, listSupportedBackends: module.listSupportedBackends },
    ...others,
    InferenceSession: {
      create: async (model: Uint8Array, options: InferenceSession.SessionOptions) => {
        asked.push(options);
        if (failure !== undefined) throw new Error(failure);
        return module.InferenceSession.create(model, { executionProviders: ['cpu'] });
      },
    },
  };
  return { runtime, asked };
}

test('the public binding asks for the provider by device, without CPU fallback', async () => {
  const { runtime, asked } = await standIn();
  const backend = await ortBackend({ ort: runtime, device: 'cuda', deviceId: 1, binding: 'public' });
  expect(backend.describe()).toMatchObject({
    backend: 'ort:cuda',
    device: 'cuda',
    description: 'CUDA device 1, float32 products, public binding (as asked)',
  });
  expect(asked[0]).toMatchObject({
    executionProviders: [{ name: 'cuda', deviceId: 1 }],
    extra: { session: { disable_cpu_ep_fallback: '1' } },
  });
  expect(asked[0].preferredOutputLocation).toBeUndefined();
  await backend.dispose();
});

test('with the public binding all crosses to the host and back, and is counted', async () => {
  const { runtime } = await standIn();
  const backend = await ortBackend({ ort: runtime, device: 'cuda' });
  const { graph } = mf.trace((x: mf.Tensor) => x.mul(2), mf.spec([4]));
  const executable = await backend.compile(graph, { state: { input: 'output' } });
  const first = await executable.run({ input: floats([1, 2, 3, 4]) });
  const second = await executable.run({ input: first.output });
  expect((await second.output.read()).data).toEqual(Float32Array.of(4, 8, 12, 16));
  expect(executable.counters).toEqual({ runs: 2, hostToDeviceBytes: 32, deviceToHostBytes: 32 });
  await backend.dispose();
});

test('device numbers', async () => {
  for (const deviceId of [-1, 0.5, NaN]) {
    await expect(ortBackend({ ort, device: 'cuda', deviceId })).rejects.toThrow(mf.ArgumentError);
  }
});

test('GPU buffers, which the binding has for WebGPU only, are refused', async () => {
  const { runtime } = await standIn();
  const sessionOptions = { preferredOutputLocation: 'gpu-buffer' } as const;
  const opened = ortBackend({ ort: runtime, device: 'cuda', sessionOptions });
  await expect(opened).rejects.toThrow(/preferredOutputLocation is for webgpu: on cuda/);
});

describe('TF32', () => {
  const open = async (tf32?: boolean) => {
    const { runtime } = await standIn();
    return ortBackend({ ort: runtime, device: 'cuda', tf32 });
  };

  test('is forbidden unless it is asked for, through the environment of the process', async () => {
    const backend = await open();
    expect(process.env[TF32]).toBe('0');
    expect(backend.describe().description).toMatch(/^CUDA device 0, float32 products, public binding/);
    // The libraries have read it: a second backend cannot have it otherwise.
    await expect(open(true)).rejects.toThrow(/tf32: true, but NVIDIA_TF32_OVERRIDE=0/);
    await expect(open(true)).rejects.toThrow(mf.ArgumentError);
    await (await open(false)).dispose();
    await backend.dispose();
  });

  test('is allowed where it is asked for', async () => {
    const backend = await open(true);
    expect(process.env[TF32]).toBe('1');
    expect(backend.describe().description).toMatch(/^CUDA device 0, TF32 products, public binding/);
    await expect(open(false)).rejects.toThrow(/tf32: false, but NVIDIA_TF32_OVERRIDE=1/);
    await backend.dispose();
  });

  test('is as the environment says where the program does not', async () => {
    process.env[TF32] = '1';
    const backend = await open();
    expect(backend.describe().description).toMatch(/^CUDA device 0, TF32 products, public binding/);
    await backend.dispose();
  });

  test('cannot be settled in a worker, whose environment is a copy', () => {
    const worker: CudaHost = {
      ...{ platform: 'linux', arch: 'x64', isMainThread: false, driver: undefined },
      env: {},
    };
    expect(() => settleTf32(undefined, worker)).toThrow(mf.BackendError);
    expect(() => settleTf32(undefined, worker)).toThrow('Start the process with NVIDIA_TF32_OVERRIDE=0');
    expect(worker.env).toEqual({});
    expect(settleTf32(undefined, { ...worker, env: { [TF32]: '0' } })).toBe(false);
  });

  test('is an option of the provider with the native binding, of one backend alone', () => {
    const worker: CudaHost = {
      ...{ platform: 'linux', arch: 'x64', isMainThread: false, driver: undefined },
      env: {},
    };
    expect([undefined, false, true].map((tf32) => settleTf32(tf32, worker, true))).toEqual([
      false,
      false,
      true,
    ]);
    expect(worker.env).toEqual({});
    // What the environment says holds for it too.
    expect(settleTf32(undefined, { ...worker, env: { [TF32]: '1' } }, true)).toBe(true);
    expect(() => settleTf32(true, { ...worker, env: { [TF32]: '0' } }, true)).toThrow(mf.ArgumentError);
  });
});

test.each([
  [
    'NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\nGCC version: 12\n',
    '535.104.05',
  ],
  [
    'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.15  Release Build  (dvs-builder@U16)\n',
    '550.54.15',
  ],
  ['NVRM version: something else\n', 'of unknown version'],
  [undefined, undefined],
])('the driver of %j', (driver, version) => {
  const host = { platform: 'linux', arch: 'x64', isMainThread: true, env: {} };
  expect(driverVersion({ ...host, driver })).toBe(version);
});

describe('errors', () => {
  test('a build of ONNX Runtime without the provider, as on macOS, Windows and 64-bit Arm', async () => {
    const listSupportedBackends = () => [
      { name: 'cpu', bundled: true },
      { name: 'coreml', bundled: true },
    ];
    const { runtime, asked } = await standIn({ listSupportedBackends });
    const opened = ortBackend({ ort: runtime, device: 'cuda' });
    await expect(opened).rejects.toThrow(mf.BackendError);
    await expect(opened).rejects.toThrow(
      `onnxruntime-node for ${process.platform}/${process.arch} has no CUDA provider; it has: cpu, coreml.`,
    );
    await expect(opened).rejects.toThrow('for Node on linux-x64');
    expect([asked, process.env[TF32]]).toEqual([[], undefined]);
  });

  test.each([
    ['OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library', 'standard error'],
    ['CUDA failure 100: no CUDA-capable device is detected ; GPU=-1', '`nvidia-smi` must list one'],
    [
      'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=0',
      'older than CUDA 12 needs',
    ],
    ['CUDA failure 101: invalid device ordinal ; GPU=7', '`nvidia-smi -L` lists those that there are'],
    ['something else', 'ONNX Runtime says: something else'],
  ])('what ONNX Runtime says, and what it means: %s', async (failure, meaning) => {
    const { runtime } = await standIn({ failure });
    const opened = ortBackend({ ort: runtime, device: 'cuda' });
    await expect(opened).rejects.toThrow(mf.BackendError);
    for (const part of ['ort:cuda was asked for', 'NVIDIA driver ', failure, meaning]) {
      await expect(opened).rejects.toThrow(part);
    }
  });

  const hasCuda = process.env.MEANFLOW_REQUIRE_CUDA === '1';
  (hasCuda ? test.skip : test).each(['native', 'public'] as const)(
    'without its libraries: what was asked, what was found, what to install; %s binding',
    async (binding) => {
      const opened = ortBackend({ ort, device: 'cuda', binding });
      await expect(opened).rejects.toThrow(mf.BackendError);
      // Elsewhere than on linux-x64 it is the build that lacks the provider.
      await expect(opened).rejects.toThrow(
        process.platform === 'linux' && process.arch === 'x64'
          ? /ort:cuda was asked for.*found: .*onnxruntime-node.*ONNXRUNTIME_NODE_INSTALL=cuda12.*CUDA 12.*cuDNN 9[^]*shared library/
          : /ort:cuda was asked for.*has no CUDA provider.*ort:webgpu/,
      );
      // The native binding's error names the library that is missing.
      if (binding === 'native' && process.platform === 'linux' && process.arch === 'x64')
        await expect(opened).rejects.toThrow(/libonnxruntime_providers_shared\.so: cannot open/);
    },
  );
});
