import * as mf from '@meanflow/core';
import { tfjsBackend, type TfjsDevice } from '../src/index.js';
import { floats, noWebgpu, normal, onEveryDevice, open, tf } from './support.js';

const cpu = () => import('@tensorflow/tfjs-backend-cpu');
const webgpu = () => import('@tensorflow/tfjs-backend-webgpu');

onEveryDevice(({ device, backend }) => {
  test('describes what it runs on', async () => {
    const own = await backend();
    expect(own.name).toBe(`tfjs:${device}`);
    const info = own.describe();
    expect(info).toMatchObject({ backend: `tfjs:${device}`, device });
    expect(info.description).toMatch(/\S/);
    expect(info.versions['@tensorflow/tfjs-core']).toMatch(/^4\./);
  });

  test('disposing of the backend disposes of its executables', async () => {
    const own = await open(device);
    const { graph } = mf.trace((x: mf.Tensor) => x.add(1), mf.spec([2]));
    const executable = await own.compile(graph);
    await own.dispose();
    await own.dispose();
    await expect(executable.run({ input: floats([1, 2]) })).rejects.toThrow(mf.DisposedError);
    await expect(own.compile(graph)).rejects.toThrow(mf.DisposedError);
  });

  test('counts what a run calls and what crosses', async () => {
    const { graph } = mf.trace((x: mf.Tensor) => mf.tanh(x.mul(2)).add(x), mf.spec([4]));
    const executable = await (await backend()).compile(graph);
    const { output } = await executable.run({ input: normal([4]) });
    await output.read();
    const kernels = device === 'webgpu' ? 1 : 3;
    expect(executable.counters).toEqual({ runs: 1, hostToDeviceBytes: 16, deviceToHostBytes: 16 });
    expect(executable.program.kernels).toBe(kernels);
    expect(executable.program.steps).toHaveLength(kernels);
    expect(executable.program.submits).toBe(device === 'webgpu' ? 1 : 0);
    // One kernel reads 16 bytes and writes as many; of three, one reads a scalar beside and one two arrays.
    expect(executable.program.bytesPerRun).toBe(device === 'webgpu' ? 32 : 36 + 32 + 48);
    await executable.dispose();
  });
});

test('tfjs stays on the backend that the program has chosen', async () => {
  const { default: core } = (await tf()) as {
    default: { setBackend(name: string): Promise<boolean>; getBackend(): string };
  };
  await cpu();
  await core.setBackend('cpu');
  const own = await open('wasm');
  expect(core.getBackend()).toBe('cpu');
  await own.dispose();
});

describe('what is not there', () => {
  const failing = (name: string) => () => Promise.reject(new Error(`Cannot find package '${name}'`));

  test('tfjs: what to install', async () => {
    const failure = tfjsBackend({ tf: failing('@tensorflow/tfjs-core') });
    await expect(failure).rejects.toThrow(mf.BackendError);
    await expect(failure).rejects.toThrow(/Cannot find package.*\n.*npm install @tensorflow\/tfjs-core/);
    await expect(tfjsBackend({ tf: {} })).rejects.toThrow('npm install @tensorflow/tfjs-core');
    await expect(tfjsBackend({ tf: undefined as never })).rejects.toThrow('npm install');
  });

  test('a device of that name', async () => {
    const device = 'webgl' as TfjsDevice;
    await expect(tfjsBackend({ tf, device })).rejects.toThrow(
      /no device "webgl"; it has: cpu, wasm, node-gpu, webgpu/,
    );
  });

  test('the package of a device', async () => {
    const kernels = failing('@tensorflow/tfjs-backend-wasm');
    await expect(tfjsBackend({ tf, device: 'wasm', kernels })).rejects.toThrow(
      /tfjs-backend-wasm could not be imported.*\n.*npm install/,
    );
    await expect(tfjsBackend({ tf, device: 'webgpu' })).rejects.toThrow(/npm install (webgpu|@tensorflow)/);
  });

  test('CUDA: what tfjs-node-gpu needs', async () => {
    const failure = tfjsBackend({ tf, device: 'node-gpu' });
    await expect(failure).rejects.toThrow(mf.BackendError);
    await expect(failure).rejects.toThrow(
      /tfjs:node-gpu was asked for, but tfjs has no backend "tensorflow"/,
    );
    for (const need of [
      '2.9.1',
      'CUDA 11.2',
      'cuDNN 8.1',
      'Node 18 to 22',
      'tfjs-node-gpu@4.22',
      'NVIDIA_TF32_OVERRIDE=0',
      'ort:cuda',
    ])
      await expect(failure).rejects.toThrow(need);
    const missing = tfjsBackend({ tf, device: 'node-gpu', kernels: failing('@tensorflow/tfjs-node-gpu') });
    await expect(missing).rejects.toThrow(/could not be imported.*\n.*libtensorflow/);
  });

  test('a CUDA device, where TensorFlow would use the processor', async () => {
    const { default: core } = (await tf()) as {
      default: Record<'registerBackend' | 'removeBackend', (...parameters: unknown[]) => void>;
    };
    core.registerBackend('tensorflow', () => ({ isUsingGpuDevice: false, dispose() {} }));
    await expect(tfjsBackend({ tf, device: 'node-gpu' })).rejects.toThrow(
      'found no CUDA device and would run on the CPU',
    );
    core.removeBackend('tensorflow');
    const before = process.env.NVIDIA_TF32_OVERRIDE;
    for (const [override, products] of [
      ['1', 'TF32'],
      ['0', 'float32'],
    ]) {
      process.env.NVIDIA_TF32_OVERRIDE = override;
      core.registerBackend('tensorflow', () => ({ isUsingGpuDevice: true, dispose() {} }));
      const opened = await tfjsBackend({ tf, device: 'node-gpu' });
      expect(opened.describe().description).toBe(`TensorFlow on CUDA (tfjs-node-gpu), ${products} products`);
      await opened.dispose();
      core.removeBackend('tensorflow');
    }
    if (before === undefined) delete process.env.NVIDIA_TF32_OVERRIDE;
    else process.env.NVIDIA_TF32_OVERRIDE = before;
  });

  test('an adapter', async () => {
    const gpu = { create: () => ({ requestAdapter: async () => null }), globals: {} };
    await expect(open('webgpu', { gpu })).rejects.toThrow(/found no adapter.*libvulkan/);
  });

  test('an adapter that is a GPU', async () => {
    const info = { vendor: 'mesa', architecture: '', device: 'llvmpipe', description: '' };
    const gpu = { create: () => ({ requestAdapter: async () => ({ info, limits: {} }) }), globals: {} };
    await expect(open('webgpu', { gpu, allowSoftware: false })).rejects.toThrow(
      /computes in software: mesa llvmpipe\..*allowSoftware/,
    );
  });

  (noWebgpu === undefined ? test : test.skip)(
    'a GPU on this machine, if all it has is SwiftShader',
    async () => {
      const taken = await open('webgpu');
      const { description } = taken.describe();
      await taken.dispose();
      const refused = tfjsBackend({ tf, device: 'webgpu', kernels: webgpu, gpu: () => import('webgpu') });
      if (description.includes('in software'))
        await expect(refused).rejects.toThrow(/computes in software: google swiftshader/);
      else await (await refused).dispose();
    },
  );
});
