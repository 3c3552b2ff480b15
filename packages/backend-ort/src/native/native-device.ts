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
import { drainGivingWay, messageOf, type Device, type NamedArrays } from '@meanflow/core/backend';
import { constantsOf, withConstants, withoutConstants } from '../constants.js';
import { optimizationLevel } from '../devices.js';
import { fromElements } from '../elements.js';
import { inputName, lowerGraph, loweringGraph } from '../lower-graph.js';
import { probeFailure, probeGraph } from '../probe.js';
import { targets, withOwnKernels, type Target } from '../targets.js';
import { Blocks, type Block } from './blocks.js';
import type { Pointer } from './koffi.js';
import type { OrtLibrary } from './library.js';
import { namesOf } from './names.js';
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
  readonly float16 = true;
  readonly takesConstants = true;
  private readonly blocks: Blocks;
  private readonly target: Target;

  constructor(
    private readonly library: OrtLibrary,
    private readonly settings: SessionSettings,
    readonly info: DeviceInfo,
    /** Where the library of our own kernels is, if it is used. */
    private readonly kernels: string | undefined,
  ) {
    this.blocks = new Blocks(library);
    const threads = Math.max(1, Number(settings.intraOpNumThreads));
    this.target = kernels === undefined ? targets.cpu : withOwnKernels(threads);
  }

  async compile(graph: Graph, _: unknown, arrays: NamedArrays): Promise<NativeProgram> {
    const constants = constantsOf(graph, arrays);
    const lowering = loweringGraph(graph, this.target, withConstants(constants, 'given'));
    const model = await drainGivingWay(lowering);
    const read = model.read();
    const used = Object.entries(constants).filter(([name]) => read.has(inputName(name)));
    const failure = `Graph "${graph.name}" cannot be compiled for ${this.info.backend}`;
    const given = this.library.valuesOver(Object.fromEntries(used));
    try {
      const level = optimizationLevel('cpu', graph, constants);
      const session = await this.open(model.encode(), failure, level, given);
      const outside = withoutConstants(graph, constants);
      return new NativeProgram(this.library, session, outside, this.blocks, constants, given);
    } catch (error) {
      for (const value of given.values()) this.library.api.ReleaseValue(value);
      throw error;
    }
  }

  read({ data }: Block, { dtype }: TensorType): HostData[DType] {
    return fromElements(dtype, data);
  }

  free(block: Block): void {
    this.blocks.give(block);
  }

  memory(): NativeMemory {
    return { allocated: this.blocks.allocated, idleBytes: this.blocks.idleBytes };
  }

  /** Loads a graph of one op, so that a runtime that cannot serve is found now. */
  async probe(help: string): Promise<void> {
    const session = await this.open(
      lowerGraph(probeGraph(), this.target).encode(),
      probeFailure(this.info, help),
    );
    this.library.api.ReleaseSession(session);
  }

  /** A session, which is made on another thread. @throws {BackendError} beginning with `failure` */
  private async open(
    model: Uint8Array,
    failure: string,
    graphOptimizationLevel: 'all' | 'disabled' = 'all',
    initializers: ReadonlyMap<string, Pointer> = new Map(),
  ): Promise<Pointer> {
    const { api, environment } = this.library;
    const settings = { graphOptimizationLevel, ...this.settings };
    try {
      return await withSessionOptions(api, settings, (options) => {
        if (this.kernels !== undefined) api.RegisterCustomOpsLibrary_V2(options, this.kernels);
        if (initializers.size > 0) giveInitializers(this.library, options, initializers);
        return api.CreateSessionFromArray.async(environment, model, model.byteLength, options);
      });
    } catch (error) {
      if (error instanceof ArgumentError) throw error;
      throw new BackendError(`${failure}: ${messageOf(error)}`, { cause: error });
    }
  }
}

/** Puts values, by the names of inputs, in the place of a model's initializers; their memory is read where it lies. */
function giveInitializers(
  { api, koffi }: OrtLibrary,
  options: Pointer,
  initializers: ReadonlyMap<string, Pointer>,
): void {
  const names = namesOf(koffi, [...initializers.keys()].map(inputName));
  const values = BigUint64Array.from(initializers.values());
  api.AddExternalInitializers(options, names.places, values, values.length);
}
