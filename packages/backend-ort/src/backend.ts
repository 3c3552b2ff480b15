/** ortBackend: the Backend contract on ONNX Runtime. */
import {
  ArgumentError,
  BackendError,
  DisposedError,
  spec,
  trace,
  type Backend,
  type CompileOptions,
  type DeviceInfo,
  type Graph,
} from '@meanflow/core';
import type { InferenceSession } from 'onnxruntime-common';
import { deviceProfile, type OrtDevice } from './devices.js';
import { checkState, SessionExecutable, type OrtExecutable } from './executable.js';
import { toOnnx } from './lower-graph.js';
import {
  hostProcessor,
  loadRuntime,
  messageOf,
  runtimeVersions,
  type OrtModule,
  type OrtSource,
} from './runtime.js';

export interface OrtBackendOptions {
  /** The ONNX Runtime to use: `onnxruntime-node`'s module, or `() => import('onnxruntime-node')`. */
  readonly ort: OrtSource;
  /** Where graphs run; `'cpu'` by default. */
  readonly device?: OrtDevice;
  /** Threads that work on one op together; by default as many as the host runs at once. */
  readonly threads?: number;
  /** Further session options of ONNX Runtime, which override the backend's own: profiling, logging, experiments. */
  readonly sessionOptions?: InferenceSession.SessionOptions;
}

/** A backend on ONNX Runtime. */
export interface OrtBackend extends Backend {
  compile(graph: Graph, options?: CompileOptions): Promise<OrtExecutable>;
}

/**
 * A backend that compiles each graph to one ONNX model and runs it on ONNX Runtime.
 *
 * @throws {BackendError} when the runtime or the device is not there, saying what to install
 * @throws {ArgumentError} when `threads` is not a positive whole number
 */
export async function ortBackend(options: OrtBackendOptions): Promise<OrtBackend> {
  const { device = 'cpu' } = options;
  const profile = deviceProfile(device);
  const processor = hostProcessor();
  const threads = options.threads ?? processor.parallelism;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new ArgumentError(`threads is a positive whole number, got ${threads}.`);
  }
  const ort = await loadRuntime(options.ort);
  const sessionOptions = { ...profile.sessionOptions, intraOpNumThreads: threads, ...options.sessionOptions };
  const info: DeviceInfo = {
    backend: `ort:${device}`,
    device: profile.kind,
    description: `${processor.model}, ${threads} thread${threads === 1 ? '' : 's'}`,
    versions: runtimeVersions(ort),
  };
  const backend = new SessionBackend(ort, sessionOptions, info);
  await backend.probe();
  return backend;
}

class SessionBackend implements OrtBackend {
  readonly name: string;
  private readonly live = new Set<SessionExecutable>();
  private disposed = false;

  constructor(
    private readonly ort: OrtModule,
    private readonly sessionOptions: InferenceSession.SessionOptions,
    private readonly info: DeviceInfo,
  ) {
    this.name = info.backend;
  }

  describe(): DeviceInfo {
    return this.info;
  }

  async compile(graph: Graph, { state = {} }: CompileOptions = {}): Promise<OrtExecutable> {
    if (this.disposed) throw new DisposedError(`The backend ${this.name} was disposed of.`);
    checkState(graph, state);
    const session = await this.open(
      toOnnx(graph),
      `Graph "${graph.name}" cannot be compiled for ${this.name}`,
    );
    const executable: SessionExecutable = new SessionExecutable(this.ort, session, graph, state, () =>
      this.live.delete(executable),
    );
    this.live.add(executable);
    return executable;
  }

  /** Runs a graph of one op, so that a runtime that cannot serve is found now. */
  async probe(): Promise<void> {
    const { graph } = trace((x) => x.neg(), spec([1]), { name: 'probe' });
    const versions = JSON.stringify(this.info.versions);
    const session = await this.open(
      toOnnx(graph),
      `${this.name} cannot run here (${versions}; onnxruntime 1.30 or newer is needed)`,
    );
    await session.release();
  }

  private async open(model: Uint8Array, failure: string): Promise<InferenceSession> {
    try {
      return await this.ort.InferenceSession.create(model, this.sessionOptions);
    } catch (error) {
      throw new BackendError(`${failure}: ${messageOf(error)}`, { cause: error });
    }
  }

  async dispose(): Promise<void> {
    this.disposed = true;
    await Promise.all([...this.live].map((executable) => executable.dispose()));
  }
}
