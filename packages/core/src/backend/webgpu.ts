/**
 * The adapter of WebGPU: found or an error that says what to install, named as its driver names it, and refused when it
 * computes in software unless that was allowed. In Node WebGPU is the package `webgpu`, which is Dawn, as in Chromium.
 */
import { BackendError } from '../errors.js';
import { loadModule, type ModuleSource } from './load-module.js';

export interface GpuAdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly isFallbackAdapter?: boolean;
}

/** The part of a `GPUAdapter` that says what it is. */
export interface GpuAdapter {
  readonly info: GpuAdapterInfo;
  readonly limits: Readonly<Record<string, number>>;
  readonly isFallbackAdapter?: boolean;
}

/** The part of `navigator.gpu` that finds adapters. */
export interface Gpu<Adapter extends GpuAdapter = GpuAdapter> {
  requestAdapter(options?: { powerPreference?: PowerPreference }): Promise<Adapter | null>;
}

export type PowerPreference = 'high-performance' | 'low-power';

export interface AdapterOptions {
  /** Takes an adapter that computes in software (SwiftShader, llvmpipe); an error otherwise. */
  readonly allowSoftware?: boolean;
  /** Which of several GPUs; `'high-performance'` by default. */
  readonly powerPreference?: PowerPreference;
}

/** An adapter as WebGPU reports it. */
export interface AdapterReport extends Omit<GpuAdapterInfo, 'isFallbackAdapter'> {
  /** What its driver calls it: vendor, architecture, device and description in one; those that WebGPU does not tell are empty. */
  readonly name: string;
  /** Whether it computes in software, which backends take only with `allowSoftware`. */
  readonly isSoftware: boolean;
  /** Those that decide what fits: bytes, and storage buffers for one kernel. */
  readonly limits: Readonly<Record<string, number>>;
}

/** What WebGPU needs besides the libraries. */
export const WEBGPU_DRIVERS =
  'On Linux the GPU needs the Vulkan loader (libvulkan.so.1, package libvulkan1) and its own Vulkan driver. To compute ' +
  'in software instead, point VK_ICD_FILENAMES to the vk_swiftshader_icd.json that Chromium brings, and set `allowSoftware`.';

const NODE_HELP = "In Node, run `npm install webgpu` and pass `gpu: () => import('webgpu')`.";

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

interface DawnModule {
  create(options: string[]): Gpu;
  readonly globals?: Readonly<Record<string, unknown>>;
}

const isDawn = (value: unknown): value is DawnModule =>
  typeof (value as Partial<DawnModule> | undefined)?.create === 'function';

const host = globalThis as { navigator?: { gpu?: Gpu } } & Record<string, unknown>;

/**
 * WebGPU: the platform's own, or that of the package.
 *
 * @param source `() => import('webgpu')`, for where the platform has none
 * @returns undefined where there is neither
 * @throws {BackendError} when the package cannot be imported or is something else
 */
export async function findGpu(source?: ModuleSource): Promise<Gpu | undefined> {
  const found = host.navigator?.gpu;
  if (found !== undefined || source === undefined) return found;
  const dawn = await loadModule('the package `webgpu`', source, isDawn, NODE_HELP);
  // GPUBufferUsage and its like, which libraries expect where there is WebGPU.
  for (const [name, value] of Object.entries(dawn.globals ?? {})) host[name] ??= value;
  return dawn.create([]);
}

/**
 * The same, where it must be there.
 *
 * @param asked what asks for it, such as `tfjs:webgpu`
 */
export async function requireGpu(asked: string, source?: ModuleSource): Promise<Gpu> {
  const found = await findGpu(source);
  if (found !== undefined) return found;
  throw new BackendError(
    `${asked} was asked for, but this platform has no \`navigator.gpu\`. ${NODE_HELP} ` +
      'In a browser, WebGPU needs a secure context (https or localhost) and a version that has it.',
  );
}

/** @throws {BackendError} when there is no adapter, or one in software without `allowSoftware` */
export async function findAdapter<Adapter extends GpuAdapter>(
  asked: string,
  gpu: Gpu<Adapter>,
  { allowSoftware = false, powerPreference = 'high-performance' }: AdapterOptions = {},
): Promise<Adapter> {
  const adapter = await gpu.requestAdapter({ powerPreference });
  if (adapter === null) {
    throw new BackendError(`${asked} was asked for, but WebGPU found no adapter. ${WEBGPU_DRIVERS}`);
  }
  if (isSoftware(adapter) && !allowSoftware) {
    throw new BackendError(
      `${asked} was asked for, but the only adapter found computes in software: ${nameOf(adapter)}. ` +
        'Install the driver of the GPU, choose another device, or set `allowSoftware` to take it.',
    );
  }
  return adapter;
}

/** An adapter in words, with the size of its buffers. */
export function describeAdapter(adapter: GpuAdapter): string {
  const buffers = `buffers of ${Math.floor((adapter.limits.maxStorageBufferBindingSize ?? 0) / 2 ** 20)} MiB`;
  return `${nameOf(adapter)}${isSoftware(adapter) ? ', in software' : ''}; ${buffers}`;
}

/** What to ask of an adapter's device so that it has all that the adapter has. */
export const limitsOf = ({ limits }: GpuAdapter): Record<string, number> =>
  Object.fromEntries(LIMITS.map((name) => [name, limits[name]!]));

/**
 * The adapter that a backend on WebGPU would be given, of either kind.
 *
 * @throws {BackendError} when there is no WebGPU or no adapter, saying what to install
 */
export async function inspectWebgpu({
  gpu,
  powerPreference,
}: { readonly gpu?: ModuleSource } & Pick<AdapterOptions, 'powerPreference'> = {}): Promise<AdapterReport> {
  const adapter = await findAdapter('WebGPU', await requireGpu('WebGPU', gpu), {
    allowSoftware: true,
    ...(powerPreference && { powerPreference }),
  });
  const { vendor, architecture, device, description } = adapter.info;
  return {
    ...{ name: nameOf(adapter), vendor, architecture, device, description },
    isSoftware: isSoftware(adapter),
    limits: limitsOf(adapter),
  };
}

export const isSoftware = (adapter: GpuAdapter): boolean =>
  adapter.isFallbackAdapter === true ||
  adapter.info.isFallbackAdapter === true ||
  /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i.test(nameOf(adapter));

const nameOf = ({ info: { vendor, architecture, device, description } }: GpuAdapter): string =>
  [...new Set([vendor, architecture, device, description])].filter(Boolean).join(' ') ||
  'an adapter without a name';
