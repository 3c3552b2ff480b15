/**
 * What the backend is asked for and what comes of it. No type of tfjs is among them: they need those of a browser, and a program is
 * checked without these too.
 */
import type { DeviceBackend, ModuleSource } from '@meanflow/core/backend';

export type TfjsDevice = 'cpu' | 'wasm' | 'webgpu' | 'node-gpu';

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
export type TfjsBackend = DeviceBackend<KernelProgram, DeviceMemory>;

/** What an executable runs. */
export interface KernelProgram {
  /** Kernels called since it was compiled; on WebGPU, those that dispatch. */
  readonly kernels: number;
  /** Times that its runs handed what they recorded to the device; on devices that record nothing, 0. */
  readonly submits: number;
  /** Bytes that the kernels of one run read and write: each operand and result whole, once per kernel. */
  readonly bytesPerRun: number;
  /** What one run calls, in order: the kernels with the ops they compute. */
  readonly steps: readonly string[];
}

/** What a device holds. */
export interface DeviceMemory {
  /** Arrays and constants that are alive, each counted once however many views it has. */
  readonly storages: number;
  /** Bytes that are taken from the device or the system, in use or kept for the next run; where tfjs knows them. */
  readonly allocatedBytes?: number | undefined;
}

/** How a program's nodes are joined into kernels. */
export interface FusionOptions {
  /** Storage buffers that a kernel may bind; as many as the device has, by default. */
  readonly maxBuffers: number;
  /**
   * Multiplications up to which a matrix product is made element by element, a thread to each or several that share it;
   * larger ones are made as `products` says.
   */
  readonly directProduct: number;
  /**
   * Large matrix products: blocks of the result whose operands threads share in workgroup memory, or read each for itself,
   * both generated and joined with what is done to the result; or tfjs's kernels.
   */
  readonly products: 'tiles' | 'registers' | 'tfjs';
  /** Threads that share the elements of a row; 1 where waiting for one another costs more than it saves. */
  readonly threadsPerRow: number;
  /** Whether nodes are joined; otherwise each is a kernel of its own, which shows the one at fault. */
  readonly fuse: boolean;
}
