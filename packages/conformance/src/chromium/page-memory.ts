/**
 * What a page has allocated: buffers of its GPU devices and its WebAssembly memories. A browser does not tell how much memory a
 * backend holds, and ONNX Runtime for browsers does not either, so the functions that allocate are watched.
 */
import type { Backend } from '@meanflow/core';
import type { DeviceMemory, MeasuringBackend } from '../cases/memory.js';

/** Live figures. */
export type Allocated = () => DeviceMemory;

interface GpuBuffer {
  readonly size: number;
  destroy(): void;
}
interface GpuDevicePrototype {
  createBuffer(this: object, descriptor: object): GpuBuffer;
}
interface WasmMemory {
  readonly buffer: ArrayBufferLike;
}
interface Platform {
  readonly WebAssembly: { Memory: new (descriptor: object) => WasmMemory };
  readonly GPUDevice?: { readonly prototype: GpuDevicePrototype };
  readonly GPUBuffer?: { readonly prototype: GpuBuffer };
}

const platform = globalThis as unknown as Platform;

/** Watches the platform's functions from now on. To be called once. */
export function countAllocations(): Allocated {
  const buffers = watchBuffers();
  const memories = watchMemories();
  return () => ({ ...buffers(), ...memories() });
}

function watchBuffers(): Allocated {
  const { GPUDevice: device, GPUBuffer: buffer } = platform;
  if (device === undefined || buffer === undefined) return () => ({});
  // A buffer that is dropped without destroy() counts until the collector has found it, as it does on the device.
  const live = new Map<WeakRef<GpuBuffer>, number>();
  const refs = new WeakMap<GpuBuffer, WeakRef<GpuBuffer>>();
  const collected = new FinalizationRegistry<WeakRef<GpuBuffer>>((ref) => live.delete(ref));
  const { createBuffer } = device.prototype;
  device.prototype.createBuffer = function (descriptor) {
    const made = createBuffer.call(this, descriptor);
    const ref = new WeakRef(made);
    live.set(ref, made.size);
    refs.set(made, ref);
    collected.register(made, ref);
    return made;
  };
  const { destroy } = buffer.prototype;
  buffer.prototype.destroy = function (this: GpuBuffer) {
    const ref = refs.get(this);
    if (ref !== undefined) live.delete(ref);
    destroy.call(this);
  };
  return () => ({
    gpuBuffers: live.size,
    gpuBytes: [...live.values()].reduce((total, size) => total + size, 0),
  });
}

function watchMemories(): Allocated {
  const memories: WasmMemory[] = [];
  const { WebAssembly: wasm } = platform;
  wasm.Memory = new Proxy(wasm.Memory, {
    construct: (memory, [descriptor]: [object]) => {
      const made = new memory(descriptor);
      memories.push(made);
      return made;
    },
  });
  return () => ({ wasmBytes: memories.reduce((total, { buffer }) => total + buffer.byteLength, 0) });
}

/** The backend with the page's figures, beside its own if it has some. */
export function withMemory(backend: Backend, allocated: Allocated): Backend {
  const own = (backend as Partial<MeasuringBackend>).memory?.bind(backend);
  return Object.assign(backend, { memory: () => ({ ...own?.(), ...allocated() }) });
}
