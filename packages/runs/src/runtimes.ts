/**
 * The libraries that backends are made of: how each is loaded, and what installs it. ONNX Runtime for Node comes along
 * (`onnx-runtime.ts`); the others are installed by who wants their backends.
 */
import { BackendError } from '@meanflow/core';
import { installedVersion } from './installed-version.js';
import { loadOnnxRuntime, ORT_VERSION } from './onnx-runtime.js';

/** A library. */
export interface Runtime {
  /** @throws {Error} when it is not installed or cannot start */
  load(): Promise<object>;
  /** The backends that need it. */
  readonly serves: string;
  /** The version that is advised, and tested. */
  readonly version: string;
  /** What else to know before one installs it. */
  readonly note?: string;
}

const TFJS_VERSION = '4.22.0';
/** Typed as a string, so that it may be missing while this is compiled. */
const nodeGpu: string = '@tensorflow/tfjs-node-gpu';

// Imports in brackets name the modules' types as they are used: a package that may be missing is in no declaration file.
export const runtimes = {
  'onnxruntime-node': {
    load: loadOnnxRuntime,
    serves: 'ort:cpu, ort:webgpu, ort:cuda',
    version: ORT_VERSION,
  },
  'onnxruntime-web': {
    load: (): Promise<object> => import('onnxruntime-web'),
    serves: 'ort:wasm',
    version: ORT_VERSION,
  },
  '@tensorflow/tfjs-core': {
    load: (): Promise<object> => import('@tensorflow/tfjs-core'),
    serves: 'every tfjs backend',
    version: TFJS_VERSION,
  },
  '@tensorflow/tfjs-backend-cpu': {
    load: (): Promise<object> => import('@tensorflow/tfjs-backend-cpu'),
    serves: 'tfjs:cpu',
    version: TFJS_VERSION,
  },
  '@tensorflow/tfjs-backend-wasm': {
    load: (): Promise<object> => import('@tensorflow/tfjs-backend-wasm'),
    serves: 'tfjs:wasm',
    version: TFJS_VERSION,
  },
  '@tensorflow/tfjs-backend-webgpu': {
    load: (): Promise<object> => import('@tensorflow/tfjs-backend-webgpu'),
    serves: 'tfjs:webgpu',
    version: TFJS_VERSION,
  },
  '@tensorflow/tfjs-node-gpu': {
    load: (): Promise<object> => import(nodeGpu),
    serves: 'tfjs:node-gpu',
    version: TFJS_VERSION,
    note: 'which downloads libtensorflow for CUDA 11',
  },
  webgpu: {
    load: (): Promise<object> => import('webgpu'),
    serves: 'tfjs:webgpu, ort:webgpu',
    version: '0.6.2',
  },
} as const satisfies Readonly<Record<string, Runtime>>;

export type RuntimeName = keyof typeof runtimes;

/** The command that installs these libraries, in the versions that are advised. */
export function installCommand(...names: readonly RuntimeName[]): string {
  return `npm install ${names.map((name) => `${name}@${runtimes[name].version}`).join(' ')}`;
}

/** @throws {BackendError} when a backend lacks one of its libraries, with the command that installs all that are missing */
export async function demand(backend: string, ...names: readonly RuntimeName[]): Promise<void> {
  const missing: RuntimeName[] = [];
  for (const name of names) {
    // A runtime other than Node may keep packages where they are not seen.
    const isThere = installedVersion(name) !== undefined || (await loads(runtimes[name]));
    if (!isThere) missing.push(name);
  }
  if (missing.length === 0) return;
  const notes = missing.map((name) => (runtimes[name] as Runtime).note).filter((note) => note !== undefined);
  throw new BackendError(
    `${backend} needs ${missing.join(', ').replace(/, ([^,]+)$/, ' and $1')}, which meanflow does not bring: \`${installCommand(...missing)}\`` +
      `${notes.map((note) => `, ${note}`).join('')}.`,
  );
}

function loads({ load }: Runtime): Promise<boolean> {
  return load().then(
    () => true,
    () => false,
  );
}
