import type { MeasuringBackend } from '../../src/index.js';
import { referenceBackend } from '@meanflow/core';
import { countAllocations, withMemory } from '../../src/chromium/page-memory.js';

/** What the platform of a browser has, as far as it is watched. */
class GPUBuffer {
  constructor(readonly size: number) {}
  destroy(): void {}
}
class GPUDevice {
  createBuffer({ size }: { readonly size: number }): GPUBuffer {
    return new GPUBuffer(size);
  }
}

test('GPU buffers count until they are destroyed, WebAssembly memories as they are', () => {
  Object.assign(globalThis, { GPUBuffer, GPUDevice });
  const allocated = countAllocations();
  const none = { gpuBuffers: 0, gpuBytes: 0, wasmBytes: 0 };
  expect(allocated()).toEqual(none);
  const device = new GPUDevice();
  const [first, second] = [device.createBuffer({ size: 64 }), device.createBuffer({ size: 16 })];
  expect(allocated()).toEqual({ ...none, gpuBuffers: 2, gpuBytes: 80 });
  first.destroy();
  first.destroy();
  expect(allocated()).toEqual({ ...none, gpuBuffers: 1, gpuBytes: 16 });
  expect(second.size).toBe(16);
  const wasm = globalThis as unknown as {
    WebAssembly: { Memory: new (descriptor: object) => { grow(pages: number): number } };
  };
  const memory = new wasm.WebAssembly.Memory({ initial: 1, maximum: 4 });
  expect(allocated().wasmBytes).toBe(2 ** 16);
  memory.grow(2);
  expect(allocated().wasmBytes).toBe(3 * 2 ** 16);

  const own = Object.assign(referenceBackend(), { bytes: 1, memory: memoryOf });
  for (const [backend, figures] of [
    [referenceBackend(), { arrays: 0, bytes: 0, constantBytes: 0 }],
    [own, { bytes: 1 }],
  ] as const) {
    const measuring = withMemory(backend, allocated) as MeasuringBackend;
    expect(measuring.memory()).toEqual({ ...figures, ...allocated() });
  }
});

function memoryOf(this: { readonly bytes: number }) {
  return { bytes: this.bytes };
}
