/**
 * What one installs, and the most that it may bring: packages, ours and others', and megabytes (10⁶ bytes of files) of all of them
 * and of ours without ONNX Runtime's binaries. The bounds are a tenth above what was measured: a dependency more is
 * noticed, and so is a file that was packed by mistake. Of ours, 4.4 MB are Fashion-MNIST's test images, wherever `@meanflow/data` is. What has no bound is not ours to keep small, and is only measured
 * (`npm run sizes`).
 */

/**
 * @typedef {object} Part
 * @property {string} title what it is for
 * @property {readonly string[]} packages what is typed after `npm install`
 * @property {{ packages: number, megabytes: number, ours: number }} [most]
 */

/** @type {readonly Part[]} */
export const parts = [
  {
    title: 'the command, with `ort:cpu`',
    packages: ['meanflow'],
    most: { packages: 61, megabytes: 106, ours: 16.6 },
  },
  {
    title: 'the same by code',
    packages: ['@meanflow/runs'],
    most: { packages: 44, megabytes: 82, ours: 14.2 },
  },
  {
    title: 'programs, networks and objectives of one’s own; the reference backend',
    packages: ['@meanflow/core'],
    most: { packages: 1, megabytes: 1.5, ours: 1.5 },
  },
  {
    title: 'training by code',
    packages: ['@meanflow/core', '@meanflow/models', '@meanflow/training', '@meanflow/data'],
    most: { packages: 20, megabytes: 20, ours: 10.1 },
  },
  {
    title: 'a backend of one’s own',
    packages: ['@meanflow/conformance'],
    most: { packages: 3, megabytes: 2.8, ours: 2.8 },
  },
  { title: '`ort:wasm`', packages: ['onnxruntime-web@1.30.0'] },
  { title: '`ort:cuda`, CUDA’s libraries not counted', packages: ['onnxruntime-node@1.30.0'] },
  { title: '`tfjs:cpu`', packages: ['@tensorflow/tfjs-core@4.22.0', '@tensorflow/tfjs-backend-cpu@4.22.0'] },
  {
    title: '`tfjs:wasm`',
    packages: ['@tensorflow/tfjs-core@4.22.0', '@tensorflow/tfjs-backend-wasm@4.22.0'],
  },
  {
    title: '`tfjs:webgpu`',
    packages: ['@tensorflow/tfjs-core@4.22.0', '@tensorflow/tfjs-backend-webgpu@4.22.0', 'webgpu@0.6.2'],
  },
  { title: '`ort:webgpu`, beside the command', packages: ['webgpu@0.6.2'] },
  {
    title: 'the kit in Chromium, beside the command; Chromium not counted',
    packages: ['esbuild@0.28.2', 'playwright-core@1.65.1'],
  },
];
