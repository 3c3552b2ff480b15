/** ortBackend: the Backend contract on ONNX Runtime. */
import { ArgumentError, BackendError, type DeviceInfo } from '@meanflow/core';
import { checkOptions } from '@meanflow/core/validation';
import { backendOn, describeAdapter, findAdapter, findGpu, settleOrtTelemetry } from '@meanflow/core/backend';
import type { InferenceSession } from 'onnxruntime-common';
import { checkCudaBuild, cudaHost, driverVersion, settleTf32 } from './cuda.js';
import { deviceLoss, watchDevice } from './device-loss.js';
import { deviceProfile } from './devices.js';
import { chooseBinding } from './native/choose-binding.js';
import { cudaDefaults } from './native/cuda-provider.js';
import { NativeDevice } from './native/native-device.js';
import { oneAtATime } from './one-at-a-time.js';
import type { OrtBackend, OrtBackendOptions, OrtDevice } from './options.js';
import { acceptHostArrays } from './realm.js';
import { hostProcessor, loadRuntime, runtimeVersions, type OrtModule } from './runtime.js';
import { SessionDevice } from './session-device.js';
import { settleWasmThreads } from './wasm-threads.js';

/**
 * A backend that compiles each graph to one ONNX model and runs it on ONNX Runtime.
 *
 * Where results stay: on `cpu` and `wasm` in the memory that the device computes in (on `cpu` with the native binding in
 * blocks that runs use again and again, without copies); on `webgpu`, and on `cuda` with the native binding, in memory of the GPU, which
 * goes from run to run and is read on demand. On `cuda` ONNX Runtime's Node binding copies every output to host memory
 * and every input from it; the executable's counters say how much that is. A graph runs on its device as a whole: an
 * op without a kernel there is an error when the graph is compiled, never a detour over the CPU.
 *
 * @throws {BackendError} when the runtime or the device is not there, saying what was asked, what was found and what
 *   to install; also when the adapter of `webgpu` computes in software
 * @throws {ArgumentError} when `binding` is none, when `threads` or `deviceId` is not a whole number in range, when the environment contradicts
 *   `tf32`, and when GPU buffers are asked for on a device that has none
 */
export async function ortBackend(options: OrtBackendOptions): Promise<OrtBackend> {
  checkOptions<OrtBackendOptions>('ortBackend', options, {
    ort: true,
    device: true,
    binding: true,
    kernels: true,
    koffi: true,
    gpu: true,
    allowSoftware: true,
    deviceId: true,
    tf32: true,
    threads: true,
    telemetry: true,
    sessionOptions: true,
  });
  const { device = 'cpu' } = options;
  const profile = deviceProfile(device);
  const threads = options.threads ?? hostProcessor().parallelism;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new ArgumentError(`threads is a positive whole number, got ${threads}.`);
  }
  const { deviceId = 0 } = options;
  if (!Number.isInteger(deviceId) || deviceId < 0) {
    throw new ArgumentError(`deviceId is 0 or a positive whole number, got ${deviceId}.`);
  }
  const given: InferenceSession.SessionOptions = options.sessionOptions ?? {};
  if (device !== 'webgpu' && given.preferredOutputLocation !== undefined) {
    throw new ArgumentError(
      `sessionOptions.preferredOutputLocation is for webgpu: on ${device} ONNX Runtime returns outputs in host memory only.`,
    );
  }
  settleOrtTelemetry(options.telemetry);
  acceptHostArrays();
  const runtime = await loadRuntime(options.ort, profile.help);
  const settings = { ...profile.sessionOptions({ threads, deviceId }), ...given };
  const binding = await chooseBinding(options, device, runtime, settings);
  const loss = deviceLoss(`ort:${device}`);
  const ort = device === 'webgpu' ? oneAtATime(runtime, loss) : runtime;
  const cuda =
    device === 'cuda' ? openCuda(ort, options, profile.help, binding.library !== undefined) : undefined;
  const wasmThreads = device === 'wasm' ? settleWasmThreads(runtime, options.threads) : threads;
  const info: DeviceInfo = {
    backend: `ort:${device}`,
    device: profile.kind,
    description: `${cuda?.description ?? (await describeDevice(device, options, wasmThreads))}${binding.description}`,
    versions: { ...runtimeVersions(ort), ...cuda?.versions, ...binding.versions },
  };
  if (binding.library !== undefined) {
    const { library, kernels } = binding;
    const place = cuda && { name: 'Cuda', id: deviceId, options: cudaDefaults(cuda.tf32) };
    return backendOn(
      await NativeDevice.open(library, { settings, info, help: profile.help, kernels, cuda: place }),
    );
  }
  const opened = new SessionDevice(ort, settings, info, device, profile, loss);
  await opened.probe();
  if (device === 'webgpu') await watchDevice(loss, ort.env);
  return backendOn(opened);
}

/** @throws {BackendError | ArgumentError} when CUDA is not for this build or platform, or not as it was asked for */
function openCuda(
  ort: OrtModule,
  { deviceId = 0, tf32: wanted }: OrtBackendOptions,
  help: string,
  isNative: boolean,
): Pick<DeviceInfo, 'description' | 'versions'> & { readonly tf32: boolean } {
  const host = cudaHost();
  checkCudaBuild(ort, host, help);
  const tf32 = settleTf32(wanted, host, isNative);
  return {
    tf32,
    description: `CUDA device ${deviceId}, ${tf32 ? 'TF32' : 'float32'} products`,
    versions: { 'NVIDIA driver': driverVersion(host) ?? 'none found' },
  };
}

async function describeDevice(
  device: OrtDevice,
  options: OrtBackendOptions,
  threads: number,
): Promise<string> {
  if (device === 'webgpu') return describeWebgpu(options);
  const { model } = hostProcessor();
  const many = `${threads} thread${threads === 1 ? '' : 's'}`;
  return device === 'wasm' ? `WebAssembly on ${model}, ${many}` : `${model}, ${many}`;
}

/**
 * The adapter that the WebGPU provider will compute on. ONNX Runtime takes Dawn's (or the browser's) choice for high
 * performance and does not say in Node which that is, so WebGPU is asked.
 *
 * @throws {BackendError} when there is none, when it computes in software without `allowSoftware`, and when nothing can
 *   tell which it is
 */
async function describeWebgpu({ gpu: source, allowSoftware = false }: OrtBackendOptions): Promise<string> {
  const gpu = await findGpu(source);
  if (gpu !== undefined) return describeAdapter(await findAdapter('ort:webgpu', gpu, { allowSoftware }));
  if (allowSoftware) return 'an adapter that ONNX Runtime chose (pass `gpu` to have it named)';
  throw new BackendError(
    'ort:webgpu was asked for, but nothing here tells whether its adapter is a GPU: there is no `navigator.gpu`. Run ' +
      "`npm install webgpu` and pass `gpu: () => import('webgpu')`, or set `allowSoftware` to take any adapter.",
  );
}
