/** A WebGPU device that goes away: every call says so, and none of them waits for ever. */
import { compile, DeviceLostError, DisposedError, hostArray, mul, spec, trace } from '@meanflow/core';
import { noWebgpu, open } from './support.js';

interface Device {
  destroy(): void;
}
interface Adapter {
  requestDevice(descriptor: object): Promise<Device>;
}
interface Gpu {
  requestAdapter(options?: object): Promise<Adapter | null>;
}

/** A backend with the device that it computes on. */
async function openWithDevice() {
  let found: Device | undefined;
  const backend = await open('webgpu', {
    gpu: async () => {
      const dawn = (await import('webgpu')) as unknown as { create(options: string[]): Gpu; globals: object };
      const create = (options: string[]): Gpu => {
        const gpu = dawn.create(options);
        return {
          requestAdapter: async (wanted) => {
            const adapter = await gpu.requestAdapter(wanted);
            const requestDevice = adapter?.requestDevice.bind(adapter);
            if (adapter !== null && requestDevice !== undefined) {
              adapter.requestDevice = async (descriptor) => (found = await requestDevice(descriptor));
            }
            return adapter;
          },
        };
      };
      return { globals: dawn.globals, create };
    },
  });
  return { backend, device: found! };
}

const onWebgpu = noWebgpu === undefined ? test : test.skip;

onWebgpu('calls after the loss and in the middle of it say that the device was lost', async () => {
  const { backend, device } = await openWithDevice();
  const double = trace(({ x }) => ({ y: mul(x, 2) }), { x: spec([1000]) }, { name: 'double' });
  const x = hostArray(new Float32Array(1000).fill(1));
  const compiled = await compile(backend, double);
  const { y: before } = await compiled.run({ x });
  expect((await before.read()).data[0]).toBe(2);
  const { y: reading } = await compiled.run({ x });
  const runAndRead = async () => (await compiled.run({ x })).y.read();
  const underWay = Promise.allSettled([reading.read(), runAndRead()]);
  device.destroy();
  // What was under way may have been done before.
  for (const outcome of await underWay) {
    if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(DeviceLostError);
  }
  const message =
    /^The device of tfjs:webgpu was lost \(destroyed.*\), and all that lay on it\. Open the backend anew/;
  const calls = [compiled.run({ x }), before.read(), compile(backend, double)];
  for (const call of await Promise.allSettled(calls)) {
    expect(call).toMatchObject({
      status: 'rejected',
      reason: { name: 'DeviceLostError', backend: 'tfjs:webgpu' },
    });
  }
  await expect(compiled.run({ x })).rejects.toThrow(message);
  before.dispose();
  await compiled.dispose();
  await backend.dispose();
  await backend.dispose();
  await expect(backend.compile(double.graph)).rejects.toThrow(DisposedError);
});

if (noWebgpu !== undefined) test.skip(`on WebGPU: ${noWebgpu}`, () => undefined);
