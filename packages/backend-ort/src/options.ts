/**
 * What the backend is asked for and what comes of it. No type of ONNX Runtime is among them: they need those of a browser, and a
 * program is checked without these too.
 */
import type { DeviceBackend, DeviceExecutable, ModuleSource } from '@meanflow/core/backend';

export type OrtDevice = 'cpu' | 'cuda' | 'webgpu' | 'wasm';

/** Those that the native binding is for. */
export type NativeOrtDevice = 'cpu' | 'cuda';

/**
 * How ONNX Runtime is called. `'public'`: by the JavaScript interface of the module that is given, which on the CPU copies every
 * result and computes on the thread that calls, and on `cuda` copies every input and result. `'native'`: by the C interface of the
 * library that `onnxruntime-node` has loaded, through the package `koffi`, on `cpu` and `cuda`: results stay where they are computed,
 * and runs and compilations leave the thread free.
 */
export type OrtBinding = 'native' | 'public';

export interface OrtBackendOptions {
  /**
   * The ONNX Runtime to use: the module of `onnxruntime-node` (cpu, webgpu, cuda) or `onnxruntime-web` (wasm, webgpu),
   * or how to import it: `() => import('onnxruntime-node')`.
   */
  readonly ort: ModuleSource;
  /** Where graphs run; `'cpu'` by default. */
  readonly device?: OrtDevice;
  /** `'auto'`, the default: native where it can be, else public; `describe()` says which, and why not the other. */
  readonly binding?: OrtBinding | 'auto';
  /** For the native binding: the module of `koffi`, version 3, or how to import it; `import('koffi')`, where it is installed. */
  readonly koffi?: ModuleSource;
  /**
   * `cpu` with the native binding: whether graphs are computed by kernels of this package's own where it has some, which compute chains
   * of elementwise ops in one walk over memory, and products where their operands lie. By default they are where there is a library of
   * them for the platform (Linux on x86-64), and `describe()` says so; `true` makes it an error that there is none.
   */
  readonly kernels?: boolean;
  /** `webgpu`, where the platform has no WebGPU of its own, as in Node: `() => import('webgpu')` names the adapter. */
  readonly gpu?: () => Promise<unknown>;
  /** `webgpu`: takes an adapter that computes in software, such as SwiftShader; without it that is an error. */
  readonly allowSoftware?: boolean;
  /** `cuda`: which of several GPUs, by CUDA's number; 0 by default. */
  readonly deviceId?: number;
  /**
   * `cuda`: lets matrix products and convolutions round their operands to TF32. By default not, unless the environment has
   * NVIDIA_TF32_OVERRIDE=1. With the public binding this option sets that variable, which holds for the whole process.
   */
  readonly tf32?: boolean;
  /**
   * `cpu` and `wasm`: threads that work on one op together; by default as many as the host runs at once. On `wasm` they hold for
   * all of that ONNX Runtime, and its `env.wasm.numThreads` is taken before the default; a page that is not isolated from other
   * origins has one.
   */
  readonly threads?: number;
  /**
   * Lets ONNX Runtime collect and send telemetry, which its Node binding does by default; false by default, and then it is
   * forbidden for the whole process before the first session is made (`settleOrtTelemetry`).
   */
  readonly telemetry?: boolean;
  /**
   * Further session options of ONNX Runtime, which override the backend's own: profiling, logging, experiments. With the native binding
   * `executionProviders: [{ name: 'cuda', … }]` takes every option of the CUDA provider by its name there, such as `gpu_mem_limit`.
   */
  readonly sessionOptions?: object;
}

/** A backend on ONNX Runtime. On `webgpu` the arrays of its `memory()` are what results take up on the GPU. */
export type OrtBackend = DeviceBackend<object>;

/** An executable of it. */
export type OrtExecutable = DeviceExecutable<object>;
