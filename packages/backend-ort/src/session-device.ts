/** SessionDevice: a device of the Backend contract on ONNX Runtime's public JavaScript binding. */
import {
  BackendError,
  DeviceLostError,
  drainGivingWay,
  type DeviceInfo,
  type DType,
  type Graph,
  type HostData,
  type TensorType,
} from '@meanflow/core';
import { messageOf, type Device, type DeviceLoss, type NamedArrays } from '@meanflow/core/backend';
import type { InferenceSession } from 'onnxruntime-common';
import { constantsOf, withConstants, withoutConstants } from './constants.js';
import { CopyQueue } from './copy-queue.js';
import { explainCuda } from './cuda.js';
import { optimizationLevel, type DeviceProfile } from './devices.js';
import { fromElements, type Elements } from './elements.js';
import { lowerGraph, loweringGraph } from './lower-graph.js';
import type { OrtDevice } from './options.js';
import { probeFailure, probeGraph } from './probe.js';
import { GpuReader } from './reader.js';
import type { OrtModule, OrtSession } from './runtime.js';
import { SessionProgram, type Held } from './session-program.js';
import { targets } from './targets.js';

export class SessionDevice implements Device<Held, SessionProgram> {
  readonly takesConstants = true;
  readonly movesBuffers: boolean;
  readonly float16: true | string;
  private readonly reader: GpuReader | undefined;
  private readonly copies = new CopyQueue();

  constructor(
    private readonly ort: OrtModule,
    private readonly sessionOptions: InferenceSession.SessionOptions,
    readonly info: DeviceInfo,
    private readonly device: OrtDevice,
    private readonly profile: DeviceProfile,
    private readonly loss: DeviceLoss,
  ) {
    this.float16 = profile.float16;
    this.movesBuffers = profile.residency === 'copied';
    this.reader = profile.residency === 'gpu-buffer' ? new GpuReader(ort, sessionOptions) : undefined;
  }

  async compile(
    graph: Graph,
    _: unknown,
    arrays: NamedArrays,
    onPrepared: () => void,
  ): Promise<SessionProgram> {
    const constants = constantsOf(graph, arrays);
    const lowering = loweringGraph(graph, targets[this.device], withConstants(constants, 'in-model'));
    const model = await drainGivingWay(lowering);
    const encoded = await drainGivingWay(model.encoding());
    onPrepared();
    const session = await this.open(
      encoded,
      `Graph "${graph.name}" cannot be compiled for ${this.info.backend}`,
      optimizationLevel(this.device, graph, constants),
    );
    return new SessionProgram(this.ort, session, withoutConstants(graph, constants), this.loss, this.reader);
  }

  async read({ tensor }: Held, type: TensorType): Promise<HostData[DType]> {
    // A copy: what the caller does with it must not reach the state of a later run.
    if (this.reader !== undefined) return this.reader.read(tensor, type);
    const data = (await tensor.getData()) as Elements;
    return this.copies.copy(data.byteLength, () => fromElements(type.dtype, data));
  }

  free({ tensor, session }: Held): void {
    // A tensor in the host's memory is left to the garbage collector.
    if (tensor.location !== 'cpu') tensor.dispose();
    session?.release();
    this.reader?.forget();
  }

  /** Loads a graph of one op, so that a runtime that cannot serve is found now. */
  async probe(): Promise<void> {
    const session = await this.open(
      lowerGraph(probeGraph(), targets[this.device]).encode(),
      probeFailure(this.info, this.profile.help),
    );
    // Before the session goes: the GPU stays open as long as one is left.
    await this.reader?.open();
    await session.release();
  }

  private async open(
    model: Uint8Array,
    failure: string,
    graphOptimizationLevel: 'all' | 'disabled' = 'all',
  ): Promise<OrtSession> {
    const options = { graphOptimizationLevel, ...this.sessionOptions };
    try {
      return await this.loss.race(() => this.ort.InferenceSession.create(model, options));
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
