/** The page of the kit in Chromium: this backend, on WebGPU. */
import { serveInPage } from '@meanflow/conformance/page';
import { modelCases } from '@meanflow/parity';
import { tfjsBackend } from '../../src/index.js';

serveInPage(
  {
    'tfjs:webgpu': ({ allowSoftware }) =>
      tfjsBackend({
        tf: () => import('@tensorflow/tfjs-core'),
        kernels: () => import('@tensorflow/tfjs-backend-webgpu'),
        device: 'webgpu',
        allowSoftware,
      }),
  },
  { cases: modelCases() },
);
