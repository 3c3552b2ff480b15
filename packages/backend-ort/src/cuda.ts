/**
 * What `ort:cuda` needs besides a session, and what ONNX Runtime does not say of it: whether this build has the
 * provider at all, the NVIDIA driver, and float32 products. The provider's default is to let cuBLAS and cuDNN round operands to
 * TF32, with ten bits of mantissa. The native binding asks it not to; the public one forwards nothing to it but the number of the
 * device, but NVIDIA's libraries let the environment overrule what they are asked for.
 */
import { ArgumentError, BackendError } from '@meanflow/core';
import type { OrtModule } from './runtime.js';

/** Read by cuBLAS and cuDNN when they start: 0 forbids TF32, whatever a program asks them for. */
const VARIABLE = 'NVIDIA_TF32_OVERRIDE';

/** The part of Node's `process` that is looked at. */
export interface CudaHost {
  readonly platform: string;
  readonly arch: string;
  readonly env: Record<string, string | undefined>;
  /** Changes of `env` reach native libraries in the main thread only: a worker has a copy. */
  readonly isMainThread: boolean;
  /** The text of `/proc/driver/nvidia/version`, where there is one. */
  readonly driver: string | undefined;
}

interface NodeProcess {
  readonly platform: string;
  readonly arch: string;
  readonly env: Record<string, string | undefined>;
  getBuiltinModule?(name: 'node:worker_threads'): { readonly isMainThread: boolean } | undefined;
  getBuiltinModule?(name: 'node:fs'): { readFileSync(path: string, encoding: 'utf8'): string } | undefined;
}

/** This process. @throws {BackendError} where there is no Node */
export function cudaHost(): CudaHost {
  const { process } = globalThis as { readonly process?: NodeProcess };
  if (process?.getBuiltinModule === undefined) {
    throw new BackendError(
      'ort:cuda was asked for, but CUDA is for Node; a browser reaches the GPU by ort:webgpu.',
    );
  }
  let driver: string | undefined;
  try {
    driver = process.getBuiltinModule('node:fs')?.readFileSync('/proc/driver/nvidia/version', 'utf8');
  } catch {
    // No driver, or one that does not show itself there.
  }
  const isMainThread = process.getBuiltinModule('node:worker_threads')?.isMainThread ?? true;
  const { platform, arch, env } = process;
  return { platform, arch, env, isMainThread, driver };
}

/** @throws {BackendError} when the module says that its build has no CUDA provider */
export function checkCudaBuild(ort: OrtModule, { platform, arch }: CudaHost, help: string): void {
  const listed = (ort as { listSupportedBackends?(): readonly { readonly name: string }[] })
    .listSupportedBackends;
  const names = listed?.().map(({ name }) => name);
  if (names === undefined || names.includes('cuda')) return;
  throw new BackendError(
    `ort:cuda was asked for, but onnxruntime-node for ${platform}/${arch} has no CUDA provider; ` +
      `it has: ${names.join(', ')}. ${help}`,
  );
}

/**
 * Forbids TF32, or allows it, unless the environment says which already: through the environment, for the whole process, or by an
 * option of the provider.
 *
 * @param allowed `undefined`: not, unless the environment allows it
 * @param byOption whether the binding passes it on to the provider
 * @returns whether products may round their operands to TF32
 * @throws {ArgumentError} when the environment says otherwise
 * @throws {BackendError} in a worker, where the environment has no effect
 */
export function settleTf32(
  allowed: boolean | undefined,
  { env, isMainThread }: CudaHost,
  byOption = false,
): boolean {
  const found = env[VARIABLE];
  if (found !== undefined) {
    const isAllowed = found !== '0';
    if (allowed === undefined || allowed === isAllowed) return isAllowed;
    throw new ArgumentError(
      `ort:cuda was asked for with tf32: ${allowed}, but ${VARIABLE}=${found} in the environment says otherwise, for ` +
        'the whole process. Change one of them.',
    );
  }
  if (byOption) return allowed === true;
  if (!isMainThread) {
    throw new BackendError(
      'ort:cuda was asked for in a worker, whose environment does not reach the libraries of CUDA. Start the process ' +
        `with ${VARIABLE}=0 for float32 products, or ${VARIABLE}=1 for TF32.`,
    );
  }
  env[VARIABLE] = allowed === true ? '1' : '0';
  return allowed === true;
}

/** The driver's version, such as `550.54.15`. */
export function driverVersion({ driver }: CudaHost): string | undefined {
  return driver && (/Kernel Module(?: for \S+)?\s+(\d[\d.]*)/.exec(driver)?.[1] ?? 'of unknown version');
}

/** What an error of ONNX Runtime's CUDA provider means, where it does not say so itself. */
const meanings: readonly (readonly [RegExp, string])[] = [
  [
    /Failed to load (shared )?library|cannot open shared object/i,
    'A shared library is missing: the provider itself, or one of CUDA 12 or cuDNN 9 that it needs. Where no name stands here, ONNX ' +
      'Runtime has written it to standard error.',
  ],
  [
    /driver version is insufficient|no CUDA-capable device|CUDA failure (35|100)\b/i,
    'The NVIDIA driver is missing, is older than CUDA 12 needs (525.60 on Linux), or shows no GPU: `nvidia-smi` must ' +
      'list one.',
  ],
  [
    /invalid device (ordinal|id)|CUDA failure 101\b/i,
    'There is no GPU of the number `deviceId`; `nvidia-smi -L` lists those that there are, from 0.',
  ],
];

/** An error's message with what it means. */
export function explainCuda(message: string): string {
  const meaning = meanings.find(([pattern]) => pattern.test(message))?.[1];
  return meaning === undefined ? message : `${message}\n${meaning}`;
}
