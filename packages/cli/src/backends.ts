/**
 * The backends by name. Each entry loads its runtime only when it is chosen, so that a machine without one can use the others, and
 * a name that is not here is an error, never another device. An adapter that computes in software counts as a GPU only with
 * MEANFLOW_ALLOW_SOFTWARE=1 in the environment.
 */
import { ortBackend } from '@meanflow/backend-ort';
import { ArgumentError, didYouMean, referenceBackend, type Backend } from '@meanflow/core';

/** A backend that can be chosen. */
export interface BackendEntry {
  readonly name: string;
  readonly description: string;
  /** Needs a device or a library that not every machine has. */
  readonly isOptional: boolean;
  /**
   * @param options.threads processor threads, all cores by default; for backends on the processor
   * @throws {BackendError} when it cannot run here, saying what to install
   */
  open(options?: { readonly threads?: number }): Promise<Backend>;
}

export const DEFAULT_BACKEND = 'ort:cpu';

export const backends: readonly BackendEntry[] = [
  {
    name: 'ort:cpu',
    description: 'ONNX Runtime on the processor, all cores, float32',
    isOptional: false,
    open: (options) => ortBackend({ ort: () => import('onnxruntime-node'), device: 'cpu', ...options }),
  },
  {
    name: 'ort:webgpu',
    description: 'ONNX Runtime on the GPU through WebGPU, state in GPU buffers, float32',
    isOptional: true,
    open: () =>
      ortBackend({
        ort: () => import('onnxruntime-node'),
        gpu: () => import('webgpu'),
        device: 'webgpu',
        allowSoftware: process.env.MEANFLOW_ALLOW_SOFTWARE === '1',
      }),
  },
  {
    name: 'ort:cuda',
    description: 'ONNX Runtime on an NVIDIA GPU through CUDA 12, float32',
    isOptional: true,
    open: () => ortBackend({ ort: () => import('onnxruntime-node'), device: 'cuda' }),
  },
  {
    name: 'reference',
    description: 'the float64 interpreter: exact and slow, for checking',
    isOptional: false,
    open: async () => referenceBackend(),
  },
];

/** Backends of the design that this version does not have, and the package that each belongs to. */
export const futureBackends: readonly { readonly name: string; readonly package: string }[] = [
  { name: 'tfjs:webgpu', package: '@meanflow/backend-tfjs' },
  { name: 'tfjs:wasm', package: '@meanflow/backend-tfjs' },
  { name: 'tfjs:cpu', package: '@meanflow/backend-tfjs' },
  { name: 'tfjs:node-gpu', package: '@meanflow/backend-tfjs' },
];

/** @throws {ArgumentError} when there is no backend of that name, with the nearest one */
export function findBackend(name: string): BackendEntry {
  const found = backends.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  const names = backends.map((entry) => entry.name);
  const known = `Known are ${names.join(', ')}; \`meanflow doctor\` says what runs here.`;
  if (futureBackends.some((entry) => entry.name === name)) {
    throw new ArgumentError(`The backend "${name}" is not in this version. ${known}`);
  }
  throw new ArgumentError(`There is no backend "${name}".${didYouMean(name, names)} ${known}`);
}
