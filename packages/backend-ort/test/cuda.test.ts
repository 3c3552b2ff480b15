import * as mf from '@meanflow/core';
import type { InferenceSession } from 'onnxruntime-common';
import { ortBackend, type OrtModule } from '../src/index.js';
import { floats, ort } from './support.js';

/** ONNX Runtime with its CPU provider in CUDA's place, and the session options that were asked for. */
async function standIn() {
  const module = await import('onnxruntime-node');
  const asked: InferenceSession.SessionOptions[] = [];
  const runtime = {
    ...{ env: module.env, Tensor: module.Tensor },
    InferenceSession: {
      create: (model: Uint8Array, options: InferenceSession.SessionOptions) => {
        asked.push(options);
        return module.InferenceSession.create(model, { executionProviders: ['cpu'] });
      },
    },
  };
  return { runtime: runtime as unknown as OrtModule, asked };
}

test('the provider is asked for by device, without CPU fallback', async () => {
  const { runtime, asked } = await standIn();
  const backend = await ortBackend({ ort: runtime, device: 'cuda', deviceId: 1 });
  expect(backend.describe()).toMatchObject({
    backend: 'ort:cuda',
    device: 'cuda',
    description: 'CUDA device 1',
  });
  expect(asked[0]).toMatchObject({
    executionProviders: [{ name: 'cuda', deviceId: 1 }],
    extra: { session: { disable_cpu_ep_fallback: '1' } },
  });
  expect(asked[0].preferredOutputLocation).toBeUndefined();
  await backend.dispose();
});

test('what crosses to the host and back is counted', async () => {
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

const hasCuda = process.env.MEANFLOW_REQUIRE_CUDA === '1';
(hasCuda ? test.skip : test)(
  'without its libraries: what was asked, what was found, what to install',
  async () => {
    const opened = ortBackend({ ort, device: 'cuda' });
    await expect(opened).rejects.toThrow(mf.BackendError);
    await expect(opened).rejects.toThrow(
      /ort:cuda was asked for.*found: .*onnxruntime-node.*ONNXRUNTIME_NODE_INSTALL=cuda12.*CUDA 12.*cuDNN 9[^]*shared library/,
    );
  },
);
