/**
 * The devices that the backend runs on, each with the execution provider and session options that it needs. The
 * options were chosen by measurement; what was tried stands beside them.
 */
import { BackendError, type DeviceInfo, type Graph } from '@meanflow/core';
import { ownValue } from '@meanflow/core/validation';
import { WEBGPU_DRIVERS } from '@meanflow/core/backend';
import type { InferenceSession } from 'onnxruntime-common';
import type { Constants } from './constants.js';
import type { OrtDevice } from './options.js';

/**
 * Where results stay: `'host'`, in the memory that the device computes in; `'gpu-buffer'`, on the GPU until they are
 * read; `'copied'`, computed on the GPU and copied to the host by every run.
 */
export type Residency = 'host' | 'gpu-buffer' | 'copied';

export interface DeviceProfile {
  readonly kind: DeviceInfo['device'];
  readonly residency: Residency;
  /** True where graphs with float16 were seen to compute what the interpreter does; elsewhere what is missing and what to do. */
  readonly float16: true | string;
  /** What to do when the runtime or its provider is missing. */
  readonly help: string;
  sessionOptions(options: {
    readonly threads: number;
    readonly deviceId: number;
  }): InferenceSession.SessionOptions;
}

// Quiet: errors reach the caller as exceptions, and warnings are about optimisations that it could not make.
const quiet = { executionMode: 'sequential', logSeverityLevel: 4 } as const;

/** A node that the provider has no kernel for is an error when the session is made, not a detour over the CPU. */
const noFallback = {
  session: { disable_cpu_ep_fallback: '1' },
  // It moves transpositions through casts to bool, which WebGPU cannot transpose.
  optimization: { disable_specified_optimizers: 'TransposeOptimizer' },
};

const FLOAT16_UNTESTED =
  'it was not tested on this device; use precision float32, or ort:cpu, which computes in float16';

const profiles: Readonly<Record<OrtDevice, DeviceProfile>> = {
  cpu: {
    kind: 'cpu',
    residency: 'host',
    float16: true,
    help:
      'Run `npm install onnxruntime-node@^1.30 --ignore-scripts` (its install script downloads CUDA libraries on linux-x64), ' +
      "and pass `() => import('onnxruntime-node')` as `ort`.",
    // Arena and execution mode made at most 3 % of difference to the train step of a 4 × 256 MLP (batch 1024). A memory pattern
    // makes one block of all that a run needs, beside what the arena has from the run before: a train step of a DiT of
    // width 192 and 6 blocks takes 648 MB with it and 463 without, one of width 384 and 12 blocks 1,307 and 965, at the same
    // speed; without an arena, 919 and a third slower. (With the state written over where it lies, 420 and 758 without a pattern.)
    sessionOptions: ({ threads }) => ({
      ...quiet,
      executionProviders: ['cpu'],
      enableCpuMemArena: true,
      enableMemPattern: false,
      intraOpNumThreads: threads,
      // Threads wait for the next op by spinning. As long as ONNX Runtime does by default (a millisecond), that step
      // took 15.4 ms on two idle cores and 129 on busy ones; not at all, 17.5 and 41; for 100 µs, 15.4 and 49. By the native
      // binding a millisecond was no faster either, and took 4 to 17 % more of the processor's time.
      extra: { session: { intra_op: { spin_duration_us: '100' } } },
    }),
  },
  wasm: {
    kind: 'wasm',
    residency: 'host',
    float16: true,
    help: "Run `npm install onnxruntime-web@^1.30`, and pass `() => import('onnxruntime-web')` as `ort`.",
    sessionOptions: () => ({ ...quiet, executionProviders: ['wasm'] }),
  },
  webgpu: {
    kind: 'webgpu',
    residency: 'gpu-buffer',
    float16: FLOAT16_UNTESTED,
    help:
      'In Node, run `npm install onnxruntime-node@^1.30` (its WebGPU provider is bundled, but for linux-arm64) and pass ' +
      "`() => import('onnxruntime-node')` as `ort`; in a browser, `onnxruntime-web` and `() => import('onnxruntime-web/webgpu')`. " +
      WEBGPU_DRIVERS,
    sessionOptions: () => ({
      ...quiet,
      executionProviders: [{ name: 'webgpu', preferredLayout: 'NCHW' }],
      preferredOutputLocation: 'gpu-buffer',
      extra: noFallback,
    }),
  },
  cuda: {
    kind: 'cuda',
    residency: 'copied',
    float16: FLOAT16_UNTESTED,
    help:
      'ONNX Runtime has a CUDA provider for Node on linux-x64. Install it with `ONNXRUNTIME_NODE_INSTALL=cuda12 npm install ' +
      'onnxruntime-node@^1.30`, which downloads libonnxruntime_providers_shared.so and libonnxruntime_providers_cuda.so ' +
      '(npm must be allowed to run its install script); the machine needs an NVIDIA GPU and driver, and the libraries of CUDA 12 ' +
      'and cuDNN 9 on the library path (LD_LIBRARY_PATH). `ort:webgpu` runs on NVIDIA GPUs without any of them.',
    // The number of the device is all that Node's binding forwards. What the provider does otherwise is its default: an
    // arena that grows by powers of two without limit, and an exhaustive search for cuDNN's convolution algorithms.
    sessionOptions: ({ deviceId }) => ({
      ...quiet,
      executionProviders: [{ name: 'cuda', deviceId }],
      extra: noFallback,
    }),
  },
};

/**
 * What ONNX Runtime's optimiser is to do with a graph. On the processor it lays convolutions out in blocks of channels and joins them with
 * activations, and folds what is computed of constants. Of other graphs our own passes leave it nothing: the same train
 * steps of a DiT and of an MLP take the same time without it, and the session is made sooner (2.6 times, of a DiT of 28
 * blocks).
 */
export function optimizationLevel(device: OrtDevice, graph: Graph, constants: Constants): 'all' | 'disabled' {
  if (device !== 'cpu' || Object.keys(constants).length > 0) return 'all';
  return graph.instructions.some(({ op }) => op === 'conv') ? 'all' : 'disabled';
}

/** @throws {BackendError} when there is no such device, naming those that are */
export function deviceProfile(device: string): DeviceProfile {
  const found = ownValue<DeviceProfile>(profiles, device);
  if (found !== undefined) return found;
  throw new BackendError(
    `backend-ort has no device "${device}"; it has: ${Object.keys(profiles).join(', ')}.`,
  );
}
