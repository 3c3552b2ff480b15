/**
 * The backends that a page can open. Each imports its libraries only when it is chosen, so the bundler makes a file of each,
 * and a page loads one ONNX Runtime, which is one WebAssembly module. WebAssembly files are beside the page.
 */
import { ortBackend } from '@meanflow/backend-ort';
import { tfjsBackend } from '@meanflow/backend-tfjs';
import type { Backend } from '@meanflow/core';

export interface PageBackendOptions {
  /** Takes a WebGPU adapter that computes in software. */
  readonly allowSoftware: boolean;
  /** Where the page finds the WebAssembly files of ONNX Runtime. */
  readonly ortFiles: string;
}

export const pageBackends = {
  'tfjs:webgpu': ({ allowSoftware }: PageBackendOptions) =>
    tfjsBackend({
      tf: () => import('@tensorflow/tfjs-core'),
      kernels: () => import('@tensorflow/tfjs-backend-webgpu'),
      device: 'webgpu',
      allowSoftware,
    }),
  'ort:webgpu': ({ allowSoftware, ortFiles }: PageBackendOptions) =>
    ortBackend({
      ort: async () => located(await import('onnxruntime-web/webgpu'), ortFiles),
      device: 'webgpu',
      allowSoftware,
    }),
  'ort:wasm': ({ ortFiles }: PageBackendOptions) =>
    ortBackend({
      ort: async () => located(await import('onnxruntime-web/wasm'), ortFiles),
      device: 'wasm',
    }),
} as const satisfies Readonly<Record<string, (options: PageBackendOptions) => Promise<Backend>>>;

/** The name of a backend in the page. */
export type PageBackendName = keyof typeof pageBackends;

function located<T extends { readonly env: { readonly wasm: { wasmPaths?: unknown } } }>(
  ort: T,
  files: string,
): T {
  ort.env.wasm.wasmPaths = files;
  return ort;
}
