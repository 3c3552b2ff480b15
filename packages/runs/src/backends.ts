/**
 * The backends by name. Each entry loads its runtime only when it is chosen, so that a machine without one can use the others, and
 * a name that is not here is an error, never another device. An adapter that computes in software counts as a GPU only with
 * MEANFLOW_ALLOW_SOFTWARE=1 in the environment.
 */
import { ortBackend } from '@meanflow/backend-ort';
import { tfjsBackend } from '@meanflow/backend-tfjs';
import { ArgumentError, referenceBackend, type Backend } from '@meanflow/core';
import { quoted, Registry } from '@meanflow/core/validation';
import { DEFAULT_BACKEND, isModulePath } from './names.js';
import { loadKoffi, loadOnnxRuntime } from './onnx-runtime.js';
import { demand, type RuntimeName, runtimes } from './runtimes.js';
import { shellWord } from './shell.js';
import { withAdapters } from './software-adapters.js';

/** A backend that can be chosen. */
export interface BackendEntry {
  readonly name: string;
  readonly description?: string | undefined;
  /** Needs a device or a library that not every machine has; true by default. */
  readonly isOptional?: boolean | undefined;
  /**
   * @param options.threads processor threads, all cores by default; for ONNX Runtime on the processor
   * @throws {BackendError} when it cannot run here, saying what to install
   */
  open(options?: { readonly threads?: number }): Promise<Backend>;
}

const tf = runtimes['@tensorflow/tfjs-core'].load;
/** Node has no WebGPU of its own; other runtimes may. */
const gpuInNode = (): readonly RuntimeName[] =>
  (globalThis as { navigator?: { gpu?: object } }).navigator?.gpu === undefined ? ['webgpu'] : [];

/** The backends by name; others can be registered. */
export const backends = new Registry<BackendEntry>(
  'backend',
  [
    {
      name: 'ort:cpu',
      description: 'ONNX Runtime on the processor, all cores, float32',
      isOptional: false,
      open: async (options) =>
        ortBackend({ ort: await loadOnnxRuntime(), koffi: loadKoffi, device: 'cpu', ...options }),
    },
    {
      name: 'ort:wasm',
      description: 'ONNX Runtime in WebAssembly, as in browsers, float32',
      isOptional: true,
      open: async (options) => {
        await demand('ort:wasm', 'onnxruntime-web');
        return ortBackend({ ort: runtimes['onnxruntime-web'].load, device: 'wasm', ...options });
      },
    },
    {
      name: 'ort:webgpu',
      description: 'ONNX Runtime on the GPU through WebGPU, state in GPU buffers, float32',
      isOptional: true,
      open: async () => {
        await demand('ort:webgpu', ...gpuInNode());
        const ort = await loadOnnxRuntime();
        return withAdapters((allowSoftware) =>
          ortBackend({ ort, gpu: runtimes.webgpu.load, device: 'webgpu', allowSoftware }),
        );
      },
    },
    {
      name: 'ort:cuda',
      description: 'ONNX Runtime on an NVIDIA GPU through CUDA 12, float32',
      isOptional: true,
      open: async () => ortBackend({ ort: await loadOnnxRuntime(), device: 'cuda' }),
    },
    {
      name: 'tfjs:cpu',
      description: 'TensorFlow.js in plain JavaScript, one thread, float32',
      isOptional: true,
      open: async () => {
        await demand('tfjs:cpu', '@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-cpu');
        return tfjsBackend({ tf, kernels: runtimes['@tensorflow/tfjs-backend-cpu'].load, device: 'cpu' });
      },
    },
    {
      name: 'tfjs:wasm',
      description: 'TensorFlow.js in WebAssembly, one thread, float32',
      isOptional: true,
      open: async () => {
        await demand('tfjs:wasm', '@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm');
        return tfjsBackend({ tf, kernels: runtimes['@tensorflow/tfjs-backend-wasm'].load, device: 'wasm' });
      },
    },
    {
      name: 'tfjs:webgpu',
      description: 'TensorFlow.js on the GPU through WebGPU, with fused kernels, float32',
      isOptional: true,
      open: async () => {
        await demand(
          'tfjs:webgpu',
          '@tensorflow/tfjs-core',
          '@tensorflow/tfjs-backend-webgpu',
          ...gpuInNode(),
        );
        const kernels = runtimes['@tensorflow/tfjs-backend-webgpu'].load;
        return withAdapters((allowSoftware) =>
          tfjsBackend({ tf, kernels, gpu: runtimes.webgpu.load, device: 'webgpu', allowSoftware }),
        );
      },
    },
    {
      name: 'tfjs:node-gpu',
      description: 'TensorFlow.js on an NVIDIA GPU through CUDA 11, float32',
      isOptional: true,
      open: async () => {
        await demand('tfjs:node-gpu', '@tensorflow/tfjs-core', '@tensorflow/tfjs-node-gpu');
        return tfjsBackend({ tf, kernels: runtimes['@tensorflow/tfjs-node-gpu'].load, device: 'node-gpu' });
      },
    },
    {
      name: 'reference',
      description: 'the float64 interpreter: exact and slow, for checking',
      isOptional: false,
      open: async () => referenceBackend(),
    },
  ],
  { advice: '`meanflow doctor` says what runs here' },
);

/**
 * Opens a backend by its name.
 *
 * @throws {ArgumentError} when there is none of that name
 * @throws {BackendError} when it cannot run here, saying what to install
 */
export function openBackend(
  name: string = DEFAULT_BACKEND,
  options?: { readonly threads?: number },
): Promise<Backend> {
  return backendNamed(name).open(options);
}

/** @throws {ArgumentError} when there is none of that name; a path in a file is none, for a file loads nothing */
export function backendNamed(name: string): BackendEntry {
  if (!isModulePath(name) || backends.find(name) !== undefined) return backends.get(name);
  throw new ArgumentError(
    `There is no backend ${quoted(name)}. A backend's module is loaded only where you name it yourself: --backend ${shellWord(name)} ` +
      '(in a program: loadBackend).',
  );
}

/** Computes on a backend that is open already, or opens one by its name for as long as it takes. */
export async function withBackend<T>(
  given: Backend | string | undefined,
  use: (backend: Backend) => Promise<T>,
): Promise<T> {
  if (typeof given === 'object') return use(given);
  const backend = await openBackend(given);
  try {
    return await use(backend);
  } finally {
    await backend.dispose();
  }
}
