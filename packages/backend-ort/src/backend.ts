/** ortBackend: the Backend contract on ONNX Runtime. */
import {
  ArgumentError,
  BackendError,
  DeviceLostError,
  spec,
  trace,
  type DeviceInfo,
  type DType,
  type Graph,
  type HostData,
  type TensorType,
} from '@meanflow/core';
import { checkOptions } from '@meanflow/core/validation';
import {
  backendOn,
  describeAdapter,
  findAdapter,
  findGpu,
  messageOf,
  settleOrtTelemetry,
  type Device,
  type DeviceLoss,
} from '@meanflow/core/backend';
import type { InferenceSession } from 'onnxruntime-common';
import { checkCudaBuild, cudaHost, driverVersion, explainCuda, settleTf32 } from './cuda.js';
import { deviceLoss, watchDevice } from './device-loss.js';
import { deviceProfile, type DeviceProfile } from './devices.js';
import { toOnnx } from './lower-graph.js';
import { oneAtATime } from './one-at-a-time.js';
import type { OrtBackend, OrtBackendOptions, OrtDevice } from './options.js';
import { GpuReader } from './reader.js';
import { acceptHostArrays, copyHere } from './realm.js';
import { hostProcessor, loadRuntime, runtimeVersions, type OrtModule, type OrtSession } from './runtime.js';
import { SessionProgram, type Held } from './session-program.js';
import { settleWasmThreads } from './wasm-threads.js';

/**
 * A backend that compiles each graph to one ONNX model and runs it on ONNX Runtime.
 *
 * Where results stay: on `cpu` and `wasm` in the memory that the device computes in; on `webgpu` in GPU buffers, which
 * go from run to run and are read on demand. On `cuda` ONNX Runtime's Node binding copies every output to host memory
 * and every input from it; the executable's counters say how much that is. A graph runs on its device as a whole: an
 * op without a kernel there is an error when the graph is compiled, never a detour over the CPU.
 *
 * @throws {BackendError} when the runtime or the device is not there, saying what was asked, what was found and what
 *   to install; also when the adapter of `webgpu` computes in software
 * @throws {ArgumentError} when `threads` or `deviceId` is not a whole number in range, when the environment contradicts
 *   `tf32`, and when GPU buffers are asked for on a device that has none
 */
export async function ortBackend(options: OrtBackendOptions): Promise<OrtBackend> {
  checkOptions<OrtBackendOptions>('ortBackend', options, {
    ort: true,
    device: true,
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
  const loss = deviceLoss(`ort:${device}`);
  const ort = device === 'webgpu' ? oneAtATime(runtime, loss) : runtime;
  const cuda = device === 'cuda' ? openCuda(ort, options, profile.help) : undefined;
  const wasmThreads = device === 'wasm' ? settleWasmThreads(runtime, options.threads) : threads;
  const sessionOptions = { ...profile.sessionOptions({ threads, deviceId }), ...given };
  const info: DeviceInfo = {
    backend: `ort:${device}`,
    device: profile.kind,
    description: cuda?.description ?? (await describeDevice(device, options, wasmThreads)),
    versions: { ...runtimeVersions(ort), ...cuda?.versions },
  };
  const opened = new SessionDevice(ort, sessionOptions, info, device, profile, loss);
  await opened.probe();
  if (device === 'webgpu') await watchDevice(loss, ort.env);
  return backendOn(opened);
}

/** @throws {BackendError | ArgumentError} when CUDA is not for this build or platform, or not as it was asked for */
function openCuda(
  ort: OrtModule,
  { deviceId = 0, tf32 }: OrtBackendOptions,
  help: string,
): Pick<DeviceInfo, 'description' | 'versions'> {
  const host = cudaHost();
  checkCudaBuild(ort, host, help);
  const products = settleTf32(tf32, host) ? 'TF32 products' : 'float32 products';
  return {
    description: `CUDA device ${deviceId}, ${products}`,
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

class SessionDevice implements Device<Held, SessionProgram> {
  /** Outputs are copied into memory of JavaScript, wherever they were computed, unless they stay in GPU buffers. */
  readonly copiesState: boolean;
  readonly movesBuffers: boolean;
  private readonly reader: GpuReader | undefined;

  constructor(
    private readonly ort: OrtModule,
    private readonly sessionOptions: InferenceSession.SessionOptions,
    readonly info: DeviceInfo,
    private readonly device: OrtDevice,
    private readonly profile: DeviceProfile,
    private readonly loss: DeviceLoss,
  ) {
    this.copiesState = profile.residency !== 'gpu-buffer';
    this.movesBuffers = profile.residency === 'copied';
    this.reader = profile.residency === 'gpu-buffer' ? new GpuReader(ort, sessionOptions) : undefined;
  }

  async compile(graph: Graph): Promise<SessionProgram> {
    const session = await this.open(
      toOnnx(graph, this.device),
      `Graph "${graph.name}" cannot be compiled for ${this.info.backend}`,
    );
    return new SessionProgram(this.ort, session, graph, this.loss, this.reader);
  }

  async read({ tensor }: Held, type: TensorType): Promise<HostData[DType]> {
    // A copy: what the caller does with it must not reach the state of a later run.
    return (
      this.reader?.read(tensor, type) ?? copyHere(type.dtype, (await tensor.getData()) as HostData[DType])
    );
  }

  free({ tensor, session }: Held): void {
    // A tensor in the host's memory is left to the garbage collector.
    if (tensor.location !== 'cpu') tensor.dispose();
    session?.release();
    this.reader?.forget();
  }

  /** Runs a graph of one op, so that a runtime that cannot serve is found now. */
  async probe(): Promise<void> {
    const { graph } = trace((x) => x.neg(), spec([1]), { name: 'probe' });
    const versions = Object.entries(this.info.versions).map(([name, version]) => `${name} ${version}`);
    const session = await this.open(
      toOnnx(graph, this.device),
      `${this.info.backend} was asked for and cannot run here (found: ${versions.join(', ')}; onnxruntime 1.30 or newer is ` +
        `needed). ${this.profile.help}\nONNX Runtime says`,
    );
    // Before the session goes: the GPU stays open as long as one is left.
    await this.reader?.open();
    await session.release();
  }

  private async open(model: Uint8Array, failure: string): Promise<OrtSession> {
    try {
      return await this.loss.race(() => this.ort.InferenceSession.create(model, this.sessionOptions));
    } catch (error) {
      if (error instanceof DeviceLostError) throw error;
      const message = this.device === 'cuda' ? explainCuda(messageOf(error)) : messageOf(error);
      throw new BackendError(`${failure}: ${message}`, { cause: error });
    }
  }

  close(): Promise<void> {
    return this.loss.unlessLost(async () => this.reader?.close());
  }
}
