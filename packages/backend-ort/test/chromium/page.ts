/** The page of the kit in Chromium: this backend, on each device that a browser has. */
import { serveInPage } from '@meanflow/conformance/page';
import { modelCases } from '@meanflow/parity';
import { ortBackend } from '../../src/index.js';
import { ORT_FILES } from './files.js';

/** An ONNX Runtime that fetches its WebAssembly from the page's server. */
function located<T extends { readonly env: { readonly wasm: { wasmPaths?: unknown } } }>(ort: T): T {
  ort.env.wasm.wasmPaths = ORT_FILES;
  return ort;
}

serveInPage(
  {
    'ort:webgpu': ({ allowSoftware }) =>
      ortBackend({
        ort: async () => located(await import('onnxruntime-web/webgpu')),
        device: 'webgpu',
        allowSoftware,
      }),
    'ort:wasm': () =>
      ortBackend({ ort: async () => located(await import('onnxruntime-web/wasm')), device: 'wasm' }),
  },
  { cases: modelCases() },
);
