/**
 * The adapter that the WebGPU provider will compute on. ONNX Runtime takes Dawn's (or the browser's) choice for high
 * performance and does not say in Node which that is, so WebGPU is asked: `navigator.gpu`, or in Node the package
 * `webgpu`, which is Dawn as well.
 */
import { BackendError } from '@meanflow/core';
import { webgpuDrivers } from './devices.js';
import { messageOf } from './runtime.js';

export interface AdapterOptions {
  /** Where the platform has no WebGPU of its own, as in Node: `() => import('webgpu')`. */
  readonly gpu?: () => Promise<unknown>;
  /** Takes an adapter that computes in software (SwiftShader, llvmpipe), or, without `gpu`, whatever there is. */
  readonly allowSoftware?: boolean;
}

interface AdapterInfo {
  readonly vendor?: string;
  readonly architecture?: string;
  readonly device?: string;
  readonly description?: string;
  readonly isFallbackAdapter?: boolean;
}

interface Gpu {
  requestAdapter(options: { readonly powerPreference: 'high-performance' }): Promise<{
    readonly info: AdapterInfo;
    readonly isFallbackAdapter?: boolean;
    readonly limits: { readonly maxStorageBufferBindingSize: number };
  } | null>;
}

/**
 * The adapter in words.
 *
 * @throws {BackendError} when there is none, when it computes in software without `allowSoftware`, and when nothing
 *   can tell which it is
 */
export async function describeAdapter({
  gpu: source,
  allowSoftware = false,
}: AdapterOptions): Promise<string> {
  const gpu = await findGpu(source);
  if (gpu === undefined) {
    if (allowSoftware) return 'an adapter that ONNX Runtime chose (pass `gpu` to have it named)';
    throw new BackendError(
      'ort:webgpu was asked for, but nothing here tells whether its adapter is a GPU: there is no `navigator.gpu`. Run ' +
        "`npm install webgpu` and pass `gpu: () => import('webgpu')`, or set `allowSoftware` to take any adapter.",
    );
  }
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) {
    throw new BackendError(`ort:webgpu was asked for, but WebGPU found no adapter. ${webgpuDrivers}`);
  }
  const { info, limits } = adapter;
  const { vendor, architecture, device, description } = info;
  const words = [...new Set([vendor, architecture, device, description])].filter(Boolean);
  const name = words.join(' ') || 'an adapter without a name';
  const isSoftware =
    adapter.isFallbackAdapter === true ||
    info.isFallbackAdapter === true ||
    /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i.test(name);
  if (isSoftware && !allowSoftware) {
    throw new BackendError(
      `ort:webgpu was asked for, but the only adapter found computes in software: ${name}. ` +
        'Install the driver of the GPU, choose another device, or set `allowSoftware` to take it.',
    );
  }
  const buffers = `buffers of ${Math.floor(limits.maxStorageBufferBindingSize / 2 ** 20)} MiB`;
  return `${name}${isSoftware ? ', in software' : ''}; ${buffers}`;
}

async function findGpu(source: AdapterOptions['gpu']): Promise<Gpu | undefined> {
  const found = (globalThis as { navigator?: { gpu?: Gpu } }).navigator?.gpu;
  if (found !== undefined || source === undefined) return found;
  let module: unknown;
  try {
    module = await source();
  } catch (error) {
    throw new BackendError(
      `ort:webgpu was asked for with \`gpu\`, which could not be imported: ${messageOf(error)}\nRun \`npm install webgpu\`.`,
      { cause: error },
    );
  }
  const create = (module as { create?: (options: string[]) => Gpu } | undefined)?.create;
  if (typeof create !== 'function') {
    throw new BackendError("`gpu` must be the package `webgpu`: `() => import('webgpu')`.");
  }
  return create([]);
}
