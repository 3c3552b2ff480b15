/** NativeDevice: a device of the Backend contract on ONNX Runtime's C API. */
import {
  drainGivingWay,
  type DeviceInfo,
  type DType,
  type Graph,
  type HostData,
  type TensorType,
} from '@meanflow/core';
import type { Device, NamedArrays, Program } from '@meanflow/core/backend';
import { constantsOf, withConstants, withoutConstants, type Constants } from '../constants.js';
import { CopyQueue } from '../copy-queue.js';
import { explainCuda } from '../cuda.js';
import { deviceProfile, optimizationLevel } from '../devices.js';
import { fromElements, storedBytes } from '../elements.js';
import { inputName, lowerGraph, preparingFor, writingGraph } from '../lower-graph.js';
import type { NativeOrtDevice } from '../options.js';
import { probeFailure, probeGraph } from '../probe.js';
import { targets, withOwnKernels, type Target } from '../targets.js';
import { Blocks, type Block, type BlockMemory } from './blocks.js';
import { DeviceMemory, type Place } from './device-memory.js';
import { HostMemory } from './host-memory.js';
import type { OrtLibrary } from './library.js';
import { NativeProgram } from './native-program.js';
import type { SessionSettings } from './session-options.js';
import { Sessions } from './sessions.js';
import { splitUpdate } from './split-update.js';
import { UpdatingProgram } from './updating-program.js';

/** What the native binding knows of its memory. */
export interface NativeMemory {
  /** Blocks that were allocated for results since the backend was opened. */
  readonly allocated: number;
  /** Bytes of blocks that wait to hold results of later runs. */
  readonly idleBytes: number;
}

/** How a device is opened. */
export interface NativeSettings {
  readonly settings: SessionSettings;
  readonly info: DeviceInfo;
  /** What to do when the provider is missing. */
  readonly help: string;
  /** On the processor: where the library of our own kernels is, if it is used. */
  readonly kernels: string | undefined;
  /** On a GPU: which memory, and the provider's options. */
  readonly cuda: (Place & { readonly options: Readonly<Record<string, string>> }) | undefined;
}

/** The fewest bytes of state for whose sake a step is two runs: the second costs half a millisecond. */
const LEAST_IN_PLACE = 4 * 2 ** 20;

export class NativeDevice implements Device<Block, NativeProgram | UpdatingProgram, NativeMemory> {
  readonly float16: true | string;
  readonly takesConstants = true;
  private readonly blocks: Blocks;
  private readonly copies = new CopyQueue();

  private constructor(
    private readonly library: OrtLibrary,
    readonly info: DeviceInfo,
    private readonly device: NativeOrtDevice,
    private readonly target: Target,
    private readonly sessions: Sessions,
    private readonly place: BlockMemory,
  ) {
    this.float16 = deviceProfile(device).float16;
    this.blocks = new Blocks(place);
  }

  /**
   * Opens a device, and loads a graph of one op, so that a runtime that cannot serve is found now.
   *
   * @throws {BackendError} when it cannot, saying what is missing and what to do
   */
  static async open(
    library: OrtLibrary,
    { settings, info, help, kernels, cuda }: NativeSettings,
  ): Promise<NativeDevice> {
    const device = cuda === undefined ? 'cpu' : 'cuda';
    const explain = cuda === undefined ? (message: string) => message : explainCuda;
    const threads = Math.max(1, Number(settings.intraOpNumThreads));
    const target = kernels === undefined ? targets[device] : withOwnKernels(threads);
    const sessions = new Sessions(library, device, settings, cuda?.options ?? {}, kernels, explain);
    const probe = await sessions.open(lowerGraph(probeGraph(), target).encode(), probeFailure(info, help));
    if (cuda === undefined) library.api.ReleaseSession(probe);
    const memory =
      cuda === undefined ? new HostMemory(library) : new DeviceMemory(library, sessions, target, probe, cuda);
    return new NativeDevice(library, info, device, target, sessions, memory);
  }

  async compile(
    graph: Graph,
    isState: (input: string) => boolean,
    arrays: NamedArrays,
    onPrepared: () => void,
  ): Promise<NativeProgram | UpdatingProgram> {
    const constants = constantsOf(graph, arrays);
    const level = optimizationLevel(this.device, graph, constants);
    const prepared = await drainGivingWay(preparingFor(graph, this.target));
    const hasConstants = Object.keys(constants).length > 0;
    const split = hasConstants ? undefined : splitUpdate(prepared, isState, LEAST_IN_PLACE);
    if (split === undefined) return this.compileWhole(graph, prepared, constants, level, onPrepared);
    const [stepModel, updateModel] = [await this.encoded(split.step), await this.encoded(split.update)];
    onPrepared();
    const step = await this.sessions.open(stepModel, this.failure(graph.name), level);
    try {
      const update = await this.sessions.open(updateModel, this.failure(graph.name), level);
      return new UpdatingProgram(this.library, graph, isState, split, step, update, this.blocks);
    } catch (error) {
      this.library.api.ReleaseSession(step);
      throw error;
    }
  }

  private async compileWhole(
    graph: Graph,
    prepared: Program,
    constants: Constants,
    level: 'all' | 'disabled',
    onPrepared: () => void,
  ): Promise<NativeProgram> {
    const writing = writingGraph(prepared, this.target, withConstants(constants, 'given'));
    const model = await drainGivingWay(writing);
    const encoded = await drainGivingWay(model.encoding());
    onPrepared();
    const read = model.read();
    const used = Object.entries(constants).filter(([name]) => read.has(inputName(name)));
    const given = this.library.valuesOver(Object.fromEntries(used));
    try {
      const session = await this.sessions.open(encoded, this.failure(graph.name), level, given);
      const outside = withoutConstants(graph, constants);
      return new NativeProgram(this.library, session, outside, this.blocks, constants, given);
    } catch (error) {
      for (const value of given.values()) this.library.api.ReleaseValue(value);
      throw error;
    }
  }

  private async encoded(part: Program): Promise<Uint8Array> {
    const model = await drainGivingWay(writingGraph(part, this.target));
    return drainGivingWay(model.encoding());
  }

  private failure(graph: string): string {
    return `Graph "${graph}" cannot be compiled for ${this.info.backend}`;
  }

  read(block: Block, type: TensorType): Promise<HostData[DType]> {
    // The block is not written meanwhile: it is lent until then, and no run writes over what it is given.
    return this.copies.copy(storedBytes(type), async () => fromElements(type.dtype, await block.read()));
  }

  free(block: Block): void {
    this.blocks.give(block);
  }

  memory(): NativeMemory {
    return { allocated: this.blocks.allocated, idleBytes: this.blocks.idleBytes };
  }

  close(): void {
    this.place.close();
  }
}
