import * as mf from '@meanflow/core';
import { ortBackend, toOnnx, type OrtBackendOptions } from '../src/index.js';
import { floats, ort } from './support.js';

test('describes what it runs on', async () => {
  const backend = await ortBackend({ ort, threads: 1 });
  expect(backend.name).toBe('ort:cpu');
  const info = backend.describe();
  expect(info).toMatchObject({ backend: 'ort:cpu', device: 'cpu' });
  expect(info.description).toMatch(
    /\S.*, 1 thread, native binding (and own kernels$|without own kernels \()/,
  );
  expect(info.versions['onnxruntime-node']).toMatch(/^\d+\.\d+\.\d+/);
  await backend.dispose();
});

test('takes the module itself, with or without a default export', async () => {
  const module = await import('onnxruntime-node');
  for (const given of [module, { default: module }]) {
    const backend = await ortBackend({ ort: given as typeof module });
    await backend.dispose();
  }
});

describe('what is not there', () => {
  test('a runtime that is not installed: what to install', async () => {
    const missing = () => Promise.reject(new Error("Cannot find package 'onnxruntime-node'"));
    const failure = ortBackend({ ort: missing });
    await expect(failure).rejects.toThrow(mf.BackendError);
    await expect(failure).rejects.toThrow(/Cannot find package.*\n.*npm install onnxruntime-node/);
  });

  test('something that is not a runtime', async () => {
    const ort = {} as OrtBackendOptions['ort'];
    await expect(ortBackend({ ort })).rejects.toThrow('InferenceSession');
    await expect(ortBackend({ ort: undefined as never })).rejects.toThrow('npm install');
  });

  test('a device', async () => {
    const device = 'tpu' as 'cpu';
    await expect(ortBackend({ ort, device })).rejects.toThrow(
      /no device "tpu"; it has: cpu, wasm, webgpu, cuda/,
    );
  });

  test('a runtime that cannot read the model', async () => {
    const module = await import('onnxruntime-node');
    const old = {
      env: module.env,
      Tensor: module.Tensor,
      InferenceSession: { create: () => Promise.reject(new Error('opset 26 is not supported')) },
    };
    await expect(ortBackend({ ort: old })).rejects.toThrow(/1\.30 or newer[^]*opset 26 is not supported/);
  });

  test('threads', async () => {
    for (const threads of [0, -1, 1.5, NaN]) {
      await expect(ortBackend({ ort, threads })).rejects.toThrow(mf.ArgumentError);
    }
  });
});

describe('what cannot be lowered', () => {
  test('names the op and the shapes', async () => {
    const { graph } = mf.trace(({ x, k }: Record<'x' | 'k', mf.Tensor>) => mf.conv(x, k), {
      x: mf.spec([1, 1, 2, 2, 2, 2]),
      k: mf.spec([1, 1, 1, 1, 1, 1]),
    });
    expect(() => toOnnx(graph)).toThrow(mf.BackendError);
    expect(() => toOnnx(graph)).toThrow(/conv of float32\[1, 1, 2, 2, 2, 2\].*at most 3 spatial axes/);
  });
});

test('disposing of the backend disposes of its executables', async () => {
  const backend = await ortBackend({ ort, threads: 1 });
  const { graph } = mf.trace((x: mf.Tensor) => x.add(1), mf.spec([2]));
  const executable = await backend.compile(graph);
  const { output } = await executable.run({ input: floats([1, 2]) });
  await backend.dispose();
  await expect(executable.run({ input: floats([1, 2]) })).rejects.toThrow(mf.DisposedError);
  await expect(backend.compile(graph)).rejects.toThrow(mf.DisposedError);
  expect((await output.read()).data).toEqual(Float32Array.of(2, 3));
});
