/** Devices: how each tfjs backend is opened, what it really is, and what to install where it is missing. */
import { BackendError, type DeviceInfo, type DType, type HostArray } from '@meanflow/core';
import { ownValue } from '@meanflow/core/validation';
import { loadModule, messageOf, type ModuleSource } from '@meanflow/core/backend';
import type { BackendValues, DataId, DataType } from '@tensorflow/tfjs-core';
import type { DeviceMemory, TfjsDevice } from './options.js';
import type { TensorStore, TfModule } from './runtime.js';

/** What a device is opened with. */
export interface DeviceOptions {
  /** The package that registers the device's kernels; not needed when it was imported before. */
  readonly kernels?: ModuleSource;
}

/** A tfjs backend that is ready to run. */
export interface OpenDevice {
  readonly info: DeviceInfo;
  /** Whether it has float16, or what is missing and what to do. */
  readonly float16: true | string;
  /** The name under which its kernels are registered with tfjs. */
  readonly tfjsName: string;
  readonly store: TensorStore;
  /** Kernels dispatched so far, where the device counts them; elsewhere each step is one. */
  readonly dispatches?: number;
  /** Times that recorded commands were handed to it so far, where it records. */
  readonly submits?: number;
  /** @param dtype as it is stored; that of the values but for float16 */
  upload(value: HostArray, dtype: DType): DataId;
  read(dataId: DataId): Promise<BackendValues>;
  /** @throws {DeviceLostError} when the device was lost @throws {BackendError} when it reported an error */
  check(): void;
  /** Resolves when another run may be started. @throws as `check` */
  ready(): Promise<void>;
  memory(): DeviceMemory;
  /** Hands what was recorded to the device. */
  submit(): void;
  close(): Promise<void>;
}

const NO_HALVES =
  'tfjs has no arrays of it. Choose precision float32, or ort:cpu or an adapter of tfjs:webgpu that has "shader-f16"';

interface EngineDevice {
  readonly tfjsName: string;
  readonly package: string;
  readonly help: string;
  readonly kind: DeviceInfo['device'];
  /** Checks and describes the backend. @throws {BackendError} when it is not what was asked for */
  describe(store: TensorStore): string;
}

/** Devices that tfjs's engine opens and keeps, one each. */
export const engineDevices: Readonly<Record<Exclude<TfjsDevice, 'webgpu'>, EngineDevice>> = {
  cpu: {
    tfjsName: 'cpu',
    package: '@tensorflow/tfjs-backend-cpu',
    help: 'Run `npm install @tensorflow/tfjs-backend-cpu@4.22`.',
    kind: 'cpu',
    describe: (store) => {
      // Its first use prints an advertisement otherwise.
      (store as { firstUse?: boolean }).firstUse = false;
      return 'tfjs CPU kernels (plain JavaScript, one thread)';
    },
  },
  wasm: {
    tfjsName: 'wasm',
    package: '@tensorflow/tfjs-backend-wasm',
    help:
      'Run `npm install @tensorflow/tfjs-backend-wasm@4.22`; in a browser, tell it where its .wasm files are ' +
      '(`setWasmPaths`) before opening the device.',
    kind: 'wasm',
    describe: () => 'tfjs WebAssembly kernels (XNNPACK)',
  },
  'node-gpu': {
    tfjsName: 'tensorflow',
    package: '@tensorflow/tfjs-node-gpu',
    help:
      '@tensorflow/tfjs-node-gpu 4.22 runs on Node 18 to 22 and Linux or Windows on x64, downloads libtensorflow 2.9.1 ' +
      'while it is installed (so its install script must be allowed to run, with network), and needs an NVIDIA driver ' +
      'with CUDA 11.2 and cuDNN 8.1 libraries on the library path. Run `npm install @tensorflow/tfjs-node-gpu@4.22` ' +
      "and pass `() => import('@tensorflow/tfjs-node-gpu')` as `kernels`. TensorFlow rounds the operands of products to " +
      'TF32 where the GPU can, unless the process is started with NVIDIA_TF32_OVERRIDE=0. Without these, `ort:cuda` and ' +
      '`tfjs:webgpu` are the other ways to an NVIDIA GPU.',
    kind: 'cuda',
    describe: (store) => {
      if ((store as { isUsingGpuDevice?: boolean }).isUsingGpuDevice !== true) {
        throw new BackendError(
          `tfjs:node-gpu was asked for, but TensorFlow found no CUDA device and would run on the CPU. ${engineDevices['node-gpu'].help}`,
        );
      }
      const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
      const products = process?.env?.NVIDIA_TF32_OVERRIDE === '0' ? 'float32' : 'TF32';
      return `TensorFlow on CUDA (tfjs-node-gpu), ${products} products`;
    },
  },
};

/**
 * Opens one of tfjs's own backends.
 *
 * @throws {BackendError} when it is not installed or cannot start, saying what to install
 */
export async function openEngineDevice(
  tf: TfModule,
  device: Exclude<TfjsDevice, 'webgpu'>,
  { kernels }: DeviceOptions,
): Promise<OpenDevice> {
  const found = ownValue<EngineDevice>(engineDevices, device);
  if (found === undefined) {
    const names = [...Object.keys(engineDevices), 'webgpu'].join(', ');
    throw new BackendError(`backend-tfjs has no device "${device}"; it has: ${names}.`);
  }
  const { tfjsName, help, kind, describe, package: packageName } = found;
  const asked = `tfjs:${device} was asked for`;
  if (kernels !== undefined) {
    const any = (candidate: unknown): candidate is object =>
      typeof candidate === 'object' && candidate !== null;
    await loadModule(packageName, kernels, any, `${asked}. ${help}`);
  }
  if (!tf.findBackendFactory(tfjsName)) {
    const given =
      kernels === undefined ? 'no `kernels` module was given' : 'the `kernels` module did not register it';
    throw new BackendError(
      `${asked}, but tfjs has no backend "${tfjsName}": ${given}. ` +
        `Pass \`kernels: () => import('${packageName}')\`. ${help}`,
    );
  }
  const store = await activate(tf, tfjsName, `${asked}, but could not be started. ${help}`);
  const info: DeviceInfo = {
    backend: `tfjs:${device}`,
    device: kind,
    description: describe(store),
    versions: { '@tensorflow/tfjs-core': tf.version_core },
  };
  return {
    info,
    float16: NO_HALVES,
    tfjsName,
    store,
    // A copy: a CPU storage is the very array that it was written from, which stays the caller's.
    upload: (value) => writeHost(store, value, tfjsName === 'cpu'),
    read: (dataId) => store.read(dataId),
    check: () => {},
    ready: async () => {},
    memory: () => ({
      storages: store.numDataIds(),
      allocatedBytes: (store as { wasm?: { HEAPU8: Uint8Array } }).wasm?.HEAPU8.byteLength,
    }),
    submit: () => {},
    close: async () => {},
  };
}

export function writeHost(store: TensorStore, { dtype, shape, data }: HostArray, copy: boolean): DataId {
  return store.write((copy ? data.slice() : data) as BackendValues, [...shape], dtype as DataType);
}

/** Starting a backend makes it tfjs's current one for a moment, so only one is started at a time. */
let starting: Promise<unknown> = Promise.resolve();

function activate(tf: TfModule, name: string, failure: string): Promise<TensorStore> {
  const start = async () => {
    const { backendName: previous } = tf.engine();
    let failed: unknown;
    const started = await tf.setBackend(name).catch((error: unknown) => {
      failed = error;
      return false;
    });
    const store = tf.engine().registry[name] as TensorStore | undefined;
    // tfjs remains as the program left it.
    if (previous) await tf.setBackend(previous);
    if (started && store !== undefined) return store;
    throw new BackendError(failed === undefined ? failure : `${failure} (${messageOf(failed)})`, {
      cause: failed,
    });
  };
  const result = starting.then(start);
  starting = result.catch(() => undefined);
  return result;
}
