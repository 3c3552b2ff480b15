/**
 * The WebGPU device: the adapter that is asked for or an error that says what was found instead, and a tfjs WebGPU
 * backend on a device of its own with the adapter's full limits.
 */
import { BackendError, DisposedError, type DeviceInfo } from '@meanflow/core';
import {
  describeAdapter,
  DeviceLoss,
  findAdapter,
  isSoftware,
  limitsOf,
  loadModule,
  messageOf,
  requireGpu,
  type AdapterOptions,
  type Gpu,
  type GpuAdapterInfo,
  type ModuleSource,
} from '@meanflow/core/backend';
import type { OpenDevice } from '../devices.js';
import { writeHost } from '../devices.js';
import type { TfModule } from '../runtime.js';
import type { DeviceAdapter, GpuDevice, TfjsGpuBackend } from './gpu.js';
import type { FusionOptions } from '../options.js';
import { gpuFusion } from './cost.js';
import { packHalves } from './halves.js';
import { KernelRunner } from './kernel-runner.js';

export interface WebgpuOptions extends AdapterOptions {
  /** `@tensorflow/tfjs-backend-webgpu`, which is needed even where it was imported before. */
  readonly kernels?: ModuleSource;
  /** Where the platform has no WebGPU, as in Node: `() => import('webgpu')`. */
  readonly gpu?: ModuleSource;
}

export interface OpenWebgpu extends OpenDevice {
  readonly runner: KernelRunner;
  readonly backend: TfjsGpuBackend;
  readonly isSoftware: boolean;
}

/** Runs that may be under way on the device before another is recorded. */
const RUNS_IN_FLIGHT = 3;

/** The feature by which kernels have buffers of float16. */
const SHADER_F16 = 'shader-f16';
const NO_HALVES =
  `the adapter has no "${SHADER_F16}", which the GPUs of the last years have with a current driver. Choose precision float32, or ` +
  'ort:cpu, which computes in float16';

const KERNELS_HELP =
  "Run `npm install @tensorflow/tfjs-backend-webgpu@4.22` and pass `kernels: () => import('@tensorflow/tfjs-backend-webgpu')`.";

interface WebgpuModule {
  readonly WebGPUBackend: new (device: GpuDevice, info: GpuAdapterInfo) => TfjsGpuBackend;
}

type Host = { navigator?: { gpu?: Gpu } } & Record<string, unknown>;
const host = globalThis as unknown as Host;

/** @throws {BackendError} when WebGPU, its kernels or a suitable adapter is missing, saying what to install */
export async function openWebgpu(tf: TfModule, options: WebgpuOptions): Promise<OpenWebgpu> {
  const gpu = (await requireGpu('tfjs:webgpu', options.gpu)) as Gpu<DeviceAdapter>;
  const module = await loadKernels(options.kernels);
  const adapter = await findAdapter('tfjs:webgpu', gpu, options);
  const hasHalves = adapter.features.has(SHADER_F16);
  const device = await adapter.requestDevice({
    requiredFeatures: hasHalves ? [SHADER_F16] : [],
    requiredLimits: limitsOf(adapter),
  });
  const backend = withNavigator(gpu, () => new module.WebGPUBackend(device, adapter.info));
  const health = watch(device);
  const runner = new KernelRunner(backend);
  let running: Promise<void>[] = [];
  let held: Gpu | undefined = gpu;
  return {
    info: describe(tf, adapter),
    float16: hasHalves ? true : NO_HALVES,
    tfjsName: 'webgpu',
    store: backend,
    backend,
    isSoftware: isSoftware(adapter),
    runner,
    get dispatches() {
      return runner.dispatches;
    },
    get submits() {
      return runner.submits;
    },
    upload: (value, dtype) => {
      const dataId = writeHost(backend, dtype === 'float16' ? packHalves(value) : value, false);
      // Now: tfjs would compute small operands that are still on the host on the host.
      backend.uploadToGPU(dataId);
      return dataId;
    },
    read: async (dataId) => {
      health.check();
      const values = await backend.read(dataId).catch((error: unknown) => {
        health.check();
        throw new BackendError(`Reading from the WebGPU device failed: ${messageOf(error)}`, {
          cause: error,
        });
      });
      health.check();
      return values;
    },
    check: health.check,
    ready: async () => {
      while (running.length >= RUNS_IN_FLIGHT) await running.shift();
      health.check();
    },
    memory: () => ({
      storages: backend.numDataIds(),
      allocatedBytes: backend.memory().numBytesAllocatedInGPU,
    }),
    submit: () => {
      runner.submit();
      running.push(device.queue.onSubmittedWorkDone().catch(() => undefined));
    },
    close: async () => {
      if (held === undefined) return;
      runner.submit();
      await Promise.all(running);
      running = [];
      health.close();
      backend.dispose();
      device.destroy();
      // Node ends once nothing refers to its WebGPU.
      held = undefined;
    },
  };
}

/** What suits a device. Software waits for each thread in turn, and shares nothing between them. */
export const fusionFor = ({ backend, isSoftware }: OpenWebgpu): FusionOptions => ({
  ...gpuFusion,
  maxBuffers: backend.device.limits.maxStorageBuffersPerShaderStage,
  ...(isSoftware ? { threadsPerRow: 1, products: 'registers' } : {}),
});

const isWebgpuModule = (value: unknown): value is WebgpuModule =>
  typeof (value as Partial<WebgpuModule> | undefined)?.WebGPUBackend === 'function';

async function loadKernels(source: ModuleSource | undefined): Promise<WebgpuModule> {
  if (source === undefined)
    throw new BackendError(`tfjs:webgpu was asked for without its kernels. ${KERNELS_HELP}`);
  return loadModule('@tensorflow/tfjs-backend-webgpu', source, isWebgpuModule, KERNELS_HELP);
}

function describe(tf: TfModule, adapter: DeviceAdapter): DeviceInfo {
  return {
    backend: 'tfjs:webgpu',
    device: 'webgpu',
    description: `${describeAdapter(adapter)}, ${adapter.limits.maxStorageBuffersPerShaderStage} per kernel`,
    versions: { '@tensorflow/tfjs-core': tf.version_core },
  };
}

/** tfjs refuses to be constructed where `navigator.gpu` is missing, and does not look again. */
function withNavigator<T>(gpu: Gpu, construct: () => T): T {
  if (host.navigator?.gpu !== undefined) return construct();
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  try {
    return construct();
  } finally {
    if (before === undefined) delete host.navigator;
    else Object.defineProperty(globalThis, 'navigator', before);
  }
}

/** Remembers that the device was lost or reported an error, which it does whenever it likes. */
function watch(device: GpuDevice): { check(): void; close(): void } {
  const loss = new DeviceLoss('tfjs:webgpu');
  let failure: BackendError | undefined;
  let closed = false;
  loss.watch(device.lost);
  device.addEventListener('uncapturederror', ({ error }) => {
    failure ??= new BackendError(`The WebGPU device reported an error: ${error.message}`);
  });
  return {
    check: () => {
      if (closed) throw new DisposedError('The backend tfjs:webgpu was disposed of, and its arrays with it.');
      // Of all that went wrong this is what explains the rest.
      loss.check();
      if (failure !== undefined) throw failure;
    },
    close: () => {
      closed = true;
    },
  };
}
