/** NativeDevice: a device of the Backend contract on ONNX Runtime's C API. */
import {
  ArgumentError,
  BackendError,
  type DeviceInfo,
  type DType,
  type Graph,
  type HostData,
  type TensorType,
} from '@meanflow/core';
import { messageOf, type Device } from '@meanflow/core/backend';
import { optimizationLevel } from '../devices.js';
import { toOnnx } from '../lower-graph.js';
import { probeFailure, probeGraph } from '../probe.js';
import { copyHere } from '../realm.js';
import { Blocks, type Block } from './blocks.js';
import type { Pointer } from './koffi.js';
import type { OrtLibrary } from './library.js';
import { NativeProgram } from './native-program.js';
import { withSessionOptions, type SessionSettings } from './session-options.js';

/** What the native binding knows of its memory. */
export interface NativeMemory {
  /** Blocks that were allocated for results since the backend was opened. */
  readonly allocated: number;
  /** Bytes of blocks that wait to hold results of later runs. */
  readonly idleBytes: number;
}

export class NativeDevice implements Device<Block, NativeProgram, NativeMemory> {
  private readonly blocks: Blocks;

  constructor(
    private readonly library: OrtLibrary,
    private readonly settings: SessionSettings,
    readonly info: DeviceInfo,
  ) {
    this.blocks = new Blocks(library);
  }

  async compile(graph: Graph): Promise<NativeProgram> {
    const model = toOnnx(graph, 'cpu');
    const failure = `Graph "${graph.name}" cannot be compiled for ${this.info.backend}`;
    const session = await this.open(model, failure, optimizationLevel('cpu', graph));
    return new NativeProgram(this.library, session, graph, this.blocks);
  }

  read({ data }: Block, { dtype }: TensorType): HostData[DType] {
    return copyHere(dtype, data);
  }

  free(block: Block): void {
    this.blocks.give(block);
  }

  memory(): NativeMemory {
    return { allocated: this.blocks.allocated, idleBytes: this.blocks.idleBytes };
  }

  /** Loads a graph of one op, so that a runtime that cannot serve is found now. */
  async probe(help: string): Promise<void> {
    const session = await this.open(toOnnx(probeGraph(), 'cpu'), probeFailure(this.info, help));
    this.library.api.ReleaseSession(session);
  }

  /** A session, which is made on another thread. @throws {BackendError} beginning with `failure` */
  private async open(
    model: Uint8Array,
    failure: string,
    graphOptimizationLevel: 'all' | 'disabled' = 'all',
  ): Promise<Pointer> {
    const { api, environment } = this.library;
    const settings = { graphOptimizationLevel, ...this.settings };
    try {
      return await withSessionOptions(api, settings, (options) =>
        api.CreateSessionFromArray.async(environment, model, model.byteLength, options),
      );
    } catch (error) {
      if (error instanceof ArgumentError) throw error;
      throw new BackendError(`${failure}: ${messageOf(error)}`, { cause: error });
    }
  }
}
