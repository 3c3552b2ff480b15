/**
 * The libraries that backends are made of: how each is loaded, what it is for, and what installs it. All but onnxruntime-node are
 * optional: `npm install` leaves out what it cannot fetch, and tfjs-node-gpu, which downloads while it is installed, is left to who
 * wants it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { settleOrtTelemetry } from '@meanflow/core/backend';

/** A library. */
export interface Runtime {
  /** @throws {Error} Node's, when it is not installed or cannot start */
  load(): Promise<object>;
  /** The backends that need it. */
  readonly serves: string;
  readonly install: string;
}

/** Typed as a string, so that it may be missing while this is compiled. */
const nodeGpu: string = '@tensorflow/tfjs-node-gpu';

export const runtimes = {
  'onnxruntime-node': {
    load: () => {
      settleOrtTelemetry();
      return import('onnxruntime-node');
    },
    serves: 'ort:cpu, ort:webgpu, ort:cuda',
    install: 'npm install onnxruntime-node@1.30.0',
  },
  'onnxruntime-web': {
    load: () => import('onnxruntime-web'),
    serves: 'ort:wasm',
    install: 'npm install onnxruntime-web@1.30.0',
  },
  '@tensorflow/tfjs-core': {
    load: (): Promise<object> => import('@tensorflow/tfjs-core'),
    serves: 'every tfjs backend',
    install: 'npm install @tensorflow/tfjs-core@4.22.0',
  },
  '@tensorflow/tfjs-backend-cpu': {
    load: (): Promise<object> => import('@tensorflow/tfjs-backend-cpu'),
    serves: 'tfjs:cpu',
    install: 'npm install @tensorflow/tfjs-backend-cpu@4.22.0',
  },
  '@tensorflow/tfjs-backend-wasm': {
    load: (): Promise<object> => import('@tensorflow/tfjs-backend-wasm'),
    serves: 'tfjs:wasm',
    install: 'npm install @tensorflow/tfjs-backend-wasm@4.22.0',
  },
  '@tensorflow/tfjs-backend-webgpu': {
    load: (): Promise<object> => import('@tensorflow/tfjs-backend-webgpu'),
    serves: 'tfjs:webgpu',
    install: 'npm install @tensorflow/tfjs-backend-webgpu@4.22.0',
  },
  '@tensorflow/tfjs-node-gpu': {
    load: (): Promise<object> => import(nodeGpu),
    serves: 'tfjs:node-gpu',
    install: 'npm install @tensorflow/tfjs-node-gpu@4.22.0, which downloads libtensorflow for CUDA 11',
  },
  webgpu: {
    load: (): Promise<object> => import('webgpu'),
    serves: 'tfjs:webgpu, ort:webgpu',
    install: 'npm install webgpu',
  },
} as const satisfies Readonly<Record<string, Runtime>>;

/** The version of a package that this one can load; undefined when it is not installed. */
export function installedVersion(name: string): string | undefined {
  // Looked up in the folders, because a package need not export its package.json.
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const file = folders.map((folder) => join(folder, name, 'package.json')).find((path) => existsSync(path));
  if (file === undefined) return undefined;
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
