/** tfjsBackend: the Backend contract on TensorFlow.js. */
import {
  checkChoice,
  checkOptions,
  type Backend,
  type CompileOptions,
  type DeviceInfo,
  type Graph,
} from '@meanflow/core';
import { checkCompileOptions, LiveExecutables } from '@meanflow/core/backend';
import { openEngineDevice, type DeviceMemory, type OpenDevice, type TfjsDevice } from './devices.js';
import { ScheduleExecutable, type TfjsExecutable } from './executable.js';
import type { KernelSource } from './kernels/emitter.js';
import { planKernels } from './kernels/plan.js';
import { buildProgram } from './program/build.js';
import type { Program } from './program/program.js';
import type { Schedule } from './schedule.js';
import type { FusionOptions } from './webgpu/fusion.js';
import { fusionFor, openWebgpu } from './webgpu/open.js';
import { planWebgpu } from './webgpu/plan.js';
import { loadTf, type ModuleSource, type TfModule } from './runtime.js';

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

/** A backend on TensorFlow.js. */
export interface TfjsBackend extends Backend {
  compile(graph: Graph, options?: CompileOptions): Promise<TfjsExecutable>;
  /** What is alive on the device: results, constants of executables, and what a run is holding. */
  memory(): DeviceMemory;
}

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
    return new KernelBackend(tf, opened, (program, source, isState) =>
      planWebgpu(program, source, runner, fusion, isState),
    );
  }
  return new KernelBackend(tf, await openEngineDevice(tf, device, options), planKernels);
}

/** How a program becomes a schedule. */
type Plan = (
  program: Program,
  source: KernelSource,
  isState: (name: string) => boolean,
) => Schedule | Promise<Schedule>;

class KernelBackend implements TfjsBackend {
  readonly name: string;
  private readonly executables: LiveExecutables<ScheduleExecutable>;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly tf: TfModule,
    private readonly device: OpenDevice,
    private readonly plan: Plan,
  ) {
    this.name = device.info.backend;
    this.executables = new LiveExecutables(this.name);
  }

  describe(): DeviceInfo {
    return this.device.info;
  }

  memory(): DeviceMemory {
    return this.device.memory();
  }

  async compile(graph: Graph, options?: CompileOptions): Promise<TfjsExecutable> {
    const state = checkCompileOptions(graph, options);
    return this.executables.compile(async () => {
      this.device.check();
      const { tfjsName, store } = this.device;
      const find = (kernel: string) => this.tf.getKernel(kernel, tfjsName)?.kernelFunc;
      const source = { tfjsName, find, backend: store };
      const schedule = await this.plan(buildProgram(graph), source, (name) => Object.hasOwn(state, name));
      const executable: ScheduleExecutable = new ScheduleExecutable(this.device, schedule, graph, state, () =>
        this.executables.remove(executable),
      );
      return executable;
    });
  }

  dispose(): Promise<void> {
    this.closing ??= this.executables.close().then(() => this.device.close());
    return this.closing;
  }
}
