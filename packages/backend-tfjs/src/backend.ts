/** tfjsBackend: the Backend contract on TensorFlow.js. */
import type { DType, HostData } from '@meanflow/core';
import { checkChoice, checkOptions } from '@meanflow/core/validation';
import { backendOn, type Device, type DeviceBackend, type ModuleSource } from '@meanflow/core/backend';
import { openEngineDevice, type DeviceMemory, type OpenDevice, type TfjsDevice } from './devices.js';
import type { KernelSource } from './kernels/emitter.js';
import { planKernels } from './kernels/plan.js';
import { buildProgram } from './program/build.js';
import type { Program } from './program/program.js';
import type { Schedule } from './schedule.js';
import { ScheduleProgram, type Storage } from './schedule-program.js';
import type { FusionOptions } from './webgpu/fusion.js';
import { fusionFor, openWebgpu } from './webgpu/open.js';
import { planWebgpu } from './webgpu/plan.js';
import { loadTf, type TfModule } from './runtime.js';

export interface TfjsBackendOptions {
  /** `@tensorflow/tfjs-core`: the module, or `() => import('@tensorflow/tfjs-core')`. */
  readonly tf: ModuleSource;
  /** Where graphs run; `'cpu'` by default. */
  readonly device?: TfjsDevice;
  /**
   * The package with the device's kernels, such as `() => import('@tensorflow/tfjs-backend-wasm')`. May be left out
   * when the program has imported it already, except for `webgpu`.
   */
  readonly kernels?: ModuleSource;
  /** `webgpu`, where the platform has no WebGPU of its own, as in Node: `() => import('webgpu')`. */
  readonly gpu?: ModuleSource;
  /** `webgpu`: takes an adapter that computes in software, such as SwiftShader; without it that is an error. */
  readonly allowSoftware?: boolean;
  /** `webgpu`: which of several GPUs; `'high-performance'` by default. */
  readonly powerPreference?: 'high-performance' | 'low-power';
  /** `webgpu`: how ops are joined into kernels; by default as suits the adapter. */
  readonly fusion?: Partial<FusionOptions>;
}

/**
 * A backend on TensorFlow.js. Its executables' programs tell which kernels they call; its memory is what is alive on the
 * device: results, constants of executables, and what a run is holding.
 */
export type TfjsBackend = DeviceBackend<ScheduleProgram, DeviceMemory>;

/**
 * A backend that runs graphs on the kernels of TensorFlow.js. Every op runs on every device. Where devices differ:
 *
 * - An index outside of a table fails the run on the host's devices; WebGPU, which is not waited for, takes the
 *   nearest row, and a scatter leaves it out.
 * - WebGPU may take numbers below 2⁻¹²⁶ for zero.
 * - A donated input is given back as soon as the run no longer needs it, so a run that fails on the device has consumed
 *   it; one that is refused or aborted before it begins has not.
 *
 * @throws {BackendError} when tfjs or the device is not there, saying what was asked, what was found, what to install
 */
export async function tfjsBackend(options: TfjsBackendOptions): Promise<TfjsBackend> {
  checkOptions<TfjsBackendOptions>('tfjsBackend', options, {
    tf: true,
    device: true,
    kernels: true,
    gpu: true,
    allowSoftware: true,
    powerPreference: true,
    fusion: true,
  });
  if (options.powerPreference !== undefined) {
    checkChoice('powerPreference', options.powerPreference, ['high-performance', 'low-power']);
  }
  const { device = 'cpu' } = options;
  const tf = await loadTf(options.tf);
  if (device === 'webgpu') {
    const opened = await openWebgpu(tf, options);
    const fusion = { ...fusionFor(opened), ...options.fusion };
    const { runner } = opened;
    const plan: Plan = (program, source, isState) => planWebgpu(program, source, runner, fusion, isState);
    return backendOn(deviceOf(tf, opened, plan));
  }
  return backendOn(deviceOf(tf, await openEngineDevice(tf, device, options), planKernels));
}

/** How a program becomes a schedule. */
export type Plan = (
  program: Program,
  source: KernelSource,
  isState: (name: string) => boolean,
) => Schedule | Promise<Schedule>;

/** A tfjs backend, with a way to run programs on it, as a device. */
export function deviceOf(
  tf: TfModule,
  device: OpenDevice,
  plan: Plan,
): Device<Storage, ScheduleProgram, DeviceMemory> {
  const { info, tfjsName, store } = device;
  const source: KernelSource = {
    tfjsName,
    find: (kernel) => tf.getKernel(kernel, tfjsName)?.kernelFunc,
    backend: store,
  };
  return {
    info,
    async compile(graph, isState) {
      device.check();
      return new ScheduleProgram(device, await plan(buildProgram(graph), source, isState), graph);
    },
    async read(storage, { dtype }) {
      const values = (await device.read(storage!)) as HostData[DType];
      return new arrayOf[dtype](values);
    },
    free: (storage) => void (storage !== undefined && store.disposeData(storage)),
    memory: () => device.memory(),
    close: () => device.close(),
  };
}

const arrayOf = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;
