/**
 * The WebGPU device: the adapter that is asked for or an error that says what was found instead, and a tfjs WebGPU
 * backend on a device of its own with the adapter's full limits.
 */
import { BackendError, DeviceLostError, DisposedError, type DeviceInfo } from '@meanflow/core';
import type { OpenDevice } from '../devices.js';
import { writeHost } from '../devices.js';
import { loadModule, messageOf, type ModuleSource, type TfModule } from '../runtime.js';
import type { Gpu, GpuAdapter, GpuAdapterInfo, GpuDevice, TfjsGpuBackend } from './gpu.js';
import type { FusionOptions } from './fusion.js';
import { KernelRunner } from './kernel-runner.js';

export interface WebgpuOptions {
  /** `@tensorflow/tfjs-backend-webgpu`, which is needed even where it was imported before. */
  readonly kernels?: ModuleSource;
  /** Where the platform has no WebGPU, as in Node: `() => import('webgpu')`. */
  readonly gpu?: ModuleSource;
  /** Takes an adapter that computes in software (SwiftShader, llvmpipe); an error otherwise. */
  readonly allowSoftware?: boolean;
  /** Which of several GPUs; `'high-performance'` by default. */
  readonly powerPreference?: 'high-performance' | 'low-power';
}

export interface OpenWebgpu extends OpenDevice {
  readonly runner: KernelRunner;
  readonly backend: TfjsGpuBackend;
  readonly isSoftware: boolean;
}

/** Limits of which a device gets what the adapter has, where WebGPU's defaults are lower. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
] as const;

/** Runs that may be under way on the device before another is recorded. */
const RUNS_IN_FLIGHT = 3;

const KERNELS_HELP =
  "Run `npm install @tensorflow/tfjs-backend-webgpu@4.22` and pass `kernels: () => import('@tensorflow/tfjs-backend-webgpu')`.";
const NODE_HELP = "In Node, run `npm install webgpu` and pass `gpu: () => import('webgpu')`.";
const DRIVER_HELP =
  'On Linux this needs the Vulkan loader (libvulkan.so.1, package libvulkan1) and a driver for the GPU. ' +
  'To compute in software instead, point VK_ICD_FILENAMES to the vk_swiftshader_icd.json that Chromium brings, ' +
  'and set `allowSoftware`.';

interface WebgpuModule {
  readonly WebGPUBackend: new (device: GpuDevice, info: GpuAdapterInfo) => TfjsGpuBackend;
}

interface DawnModule {
  create(options: string[]): Gpu;
  readonly globals: Record<string, unknown>;
}

type Host = { navigator?: { gpu?: Gpu } } & Record<string, unknown>;
const host = globalThis as unknown as Host;

/** An adapter as WebGPU reports it. */
export interface AdapterReport {
  /** What its driver calls it: the four below in one. */
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  /** The driver and its version, as far as WebGPU tells them; empty where it does not, like the others. */
  readonly description: string;
  /** Whether it computes in software, which `tfjsBackend` takes only with `allowSoftware`. */
  readonly isSoftware: boolean;
  /** Those that decide what fits: bytes, and storage buffers for one kernel. */
  readonly limits: Readonly<Record<string, number>>;
}

/**
 * The adapter that `tfjs:webgpu` would be given, of either kind.
 *
 * @throws {BackendError} when there is no WebGPU or no adapter, saying what to install
 */
export async function inspectWebgpu(
  options: Pick<WebgpuOptions, 'gpu' | 'powerPreference'> = {},
): Promise<AdapterReport> {
  const adapter = await findAdapter(await findGpu(options.gpu), { ...options, allowSoftware: true });
  const { vendor, architecture, device, description } = adapter.info;
  return {
    name: adapterName(adapter.info),
    vendor,
    architecture,
    device,
    description,
    isSoftware: isSoftware(adapter),
    limits: limitsOf(adapter),
  };
}

/** @throws {BackendError} when WebGPU, its kernels or a suitable adapter is missing, saying what to install */
export async function openWebgpu(tf: TfModule, options: WebgpuOptions): Promise<OpenWebgpu> {
  const gpu = await findGpu(options.gpu);
  const module = await loadKernels(options.kernels);
  const adapter = await findAdapter(gpu, options);
  const device = await adapter.requestDevice({ requiredLimits: limitsOf(adapter) });
  const backend = withNavigator(gpu, () => new module.WebGPUBackend(device, adapter.info));
  const health = watch(device);
  const runner = new KernelRunner(backend);
  let running: Promise<void>[] = [];
  let held: Gpu | undefined = gpu;
  return {
    info: describe(tf, adapter),
    tfjsName: 'webgpu',
    store: backend,
    backend,
    isSoftware: isSoftware(adapter),
    runner,
    get dispatches() {
      return runner.dispatches;
    },
    upload: (value) => {
      const dataId = writeHost(backend, value, false);
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
  fuse: true,
  maxBuffers: backend.device.limits.maxStorageBuffersPerShaderStage,
  threadsPerRow: isSoftware ? 1 : 256,
  directProduct: 2 ** 21,
});

async function findGpu(source: ModuleSource | undefined): Promise<Gpu> {
  const found = host.navigator?.gpu;
  if (found !== undefined) return found;
  if (source === undefined) {
    throw new BackendError(
      `tfjs:webgpu was asked for, but this platform has no \`navigator.gpu\`. ${NODE_HELP} ` +
        'In a browser, WebGPU needs a secure context (https or localhost) and a version that has it.',
    );
  }
  const dawn = await loadModule('the package `webgpu`', source, isDawn, NODE_HELP);
  for (const [name, value] of Object.entries(dawn.globals)) host[name] ??= value;
  return dawn.create([]);
}

const isDawn = (value: unknown): value is DawnModule =>
  typeof (value as Partial<DawnModule> | undefined)?.create === 'function';

const isWebgpuModule = (value: unknown): value is WebgpuModule =>
  typeof (value as Partial<WebgpuModule> | undefined)?.WebGPUBackend === 'function';

async function loadKernels(source: ModuleSource | undefined): Promise<WebgpuModule> {
  if (source === undefined)
    throw new BackendError(`tfjs:webgpu was asked for without its kernels. ${KERNELS_HELP}`);
  return loadModule('@tensorflow/tfjs-backend-webgpu', source, isWebgpuModule, KERNELS_HELP);
}

async function findAdapter(
  gpu: Gpu,
  { allowSoftware = false, powerPreference }: WebgpuOptions,
): Promise<GpuAdapter> {
  const adapter = await gpu.requestAdapter({ powerPreference: powerPreference ?? 'high-performance' });
  if (adapter === null) {
    throw new BackendError(`tfjs:webgpu was asked for, but WebGPU found no adapter. ${DRIVER_HELP}`);
  }
  if (isSoftware(adapter) && !allowSoftware) {
    throw new BackendError(
      `tfjs:webgpu was asked for, but the only adapter found computes in software: ${adapterName(adapter.info)}. ` +
        'Install the driver of the GPU, choose another device, or set `allowSoftware` to take it.',
    );
  }
  return adapter;
}

const limitsOf = ({ limits }: GpuAdapter): Record<string, number> =>
  Object.fromEntries(LIMITS.map((name) => [name, limits[name]]));

const isSoftware = ({ info, isFallbackAdapter }: GpuAdapter): boolean =>
  isFallbackAdapter === true ||
  info.isFallbackAdapter === true ||
  /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i.test(adapterName(info));

const adapterName = ({ vendor, architecture, device, description }: GpuAdapterInfo): string =>
  [...new Set([vendor, architecture, device, description])].filter(Boolean).join(' ') ||
  'an adapter without a name';

function describe(tf: TfModule, adapter: GpuAdapter): DeviceInfo {
  const { limits } = adapter;
  const software = isSoftware(adapter) ? ', in software' : '';
  return {
    backend: 'tfjs:webgpu',
    device: 'webgpu',
    description:
      `${adapterName(adapter.info)}${software}; buffers of ${Math.floor(limits.maxStorageBufferBindingSize / 2 ** 20)} MiB, ` +
      `${limits.maxStorageBuffersPerShaderStage} per kernel`,
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
  let failure: BackendError | undefined;
  let closed = false;
  device.lost
    .then(({ reason, message }) => {
      // Of all that went wrong this is what explains the rest.
      failure = new DeviceLostError('tfjs:webgpu', [reason, message].filter(Boolean).join(': '));
    })
    .catch(() => undefined);
  device.addEventListener('uncapturederror', ({ error }) => {
    failure ??= new BackendError(`The WebGPU device reported an error: ${error.message}`);
  });
  return {
    check: () => {
      if (closed) throw new DisposedError('The backend tfjs:webgpu was disposed of, and its arrays with it.');
      if (failure !== undefined) throw failure;
    },
    close: () => {
      closed = true;
    },
  };
}
