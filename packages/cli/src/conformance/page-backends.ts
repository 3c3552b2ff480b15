/** The backends that run in the page of `meanflow conformance`, and where the page finds the WebAssembly of ONNX Runtime. */
import { ortBackend } from '@meanflow/backend-ort';
import { tfjsBackend } from '@meanflow/backend-tfjs';
import type { PageBackends } from '@meanflow/conformance/page';

/** Path under which ONNX Runtime's files are served. */
export const ORT_FILES = '/onnxruntime-web/';

export const pageBackends = {
  'tfjs:webgpu': ({ allowSoftware }) =>
    tfjsBackend({
      tf: () => import('@tensorflow/tfjs-core'),
      kernels: () => import('@tensorflow/tfjs-backend-webgpu'),
      device: 'webgpu',
      allowSoftware,
    }),
  'ort:webgpu': ({ allowSoftware }) =>
    ortBackend({
      ort: async () => located(await import('onnxruntime-web/webgpu')),
      device: 'webgpu',
      allowSoftware,
    }),
  'ort:wasm': () =>
    ortBackend({ ort: async () => located(await import('onnxruntime-web/wasm')), device: 'wasm' }),
} as const satisfies PageBackends;

function located<T extends { readonly env: { readonly wasm: { wasmPaths?: unknown } } }>(ort: T): T {
  ort.env.wasm.wasmPaths = ORT_FILES;
  return ort;
}
