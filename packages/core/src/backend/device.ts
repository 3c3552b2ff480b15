/**
 * Device: what the author of a backend writes, on buffers of whatever kind his library has. `backendOn` makes the Backend
 * contract of it: checks, runs that wait for each other, state, ownership, counts and the order in which things end.
 */
import type { DeviceInfo } from '../backend.js';
import type { CancellationSignal } from '../platform.js';
import type { Graph } from '../graph.js';
import type { HostArray, HostData } from '../host-array.js';
import type { DType, TensorType } from '../types.js';

/** Arrays by the name of the input that they are for. */
export type NamedArrays = Readonly<Record<string, HostArray>>;

/** A device that is open. */
export interface Device<
  Buffer,
  P extends DeviceProgram<Buffer> = DeviceProgram<Buffer>,
  Memory extends object = object,
> {
  readonly info: DeviceInfo;
  /** Programs take host arrays of float64 as they are. By default they are rounded to float32 before. */
  readonly takesFloat64?: boolean;
  /**
   * True where programs take graphs with float16: inputs come as float32 of the host, to be rounded, and `read` gives
   * float32. Elsewhere what is missing and what to do, for the error that such a graph is refused with.
   */
  readonly float16?: true | string;
  /**
   * Buffers lie in the host's memory though the device computes elsewhere: each run moves those that it is given, and its
   * results, and that is counted then, not when they are read.
   */
  readonly movesBuffers?: boolean;
  /**
   * Programs hold the values of constants themselves: `compile` is given them, and `run` is not. By default a program that returns
   * them puts them on the device once, and every run is lent the buffers.
   */
  readonly takesConstants?: boolean;
  /**
   * Prepares a graph to be run.
   *
   * @param isState whether an input's array is donated to each run
   * @param constants inputs that the program is to hold itself, where the device `takesConstants`; none otherwise. Their memory does
   *   not change until the program is disposed of.
   * @param onPrepared to be called, where a device first prepares a graph and then has its runtime compile it, between the two
   * @throws {BackendError} when it cannot run here, naming the op
   */
  compile(
    graph: Graph,
    isState: (input: string) => boolean,
    constants: NamedArrays,
    onPrepared: () => void,
  ): P | Promise<P>;
  /**
   * What a buffer holds, in memory that nothing else uses. Not called for arrays without elements.
   *
   * @throws {DeviceLostError} when the device went away
   */
  read(buffer: Buffer, type: TensorType): HostData[DType] | Promise<HostData[DType]>;
  /** Frees a buffer, which no array holds and no run or read uses any more. Without it that is left to the collector. */
  free?(buffer: Buffer): void;
  /** What it knows of its memory, by name. */
  memory?(): Memory;
  /** Frees the device, once every program is disposed of. Arrays may still be read after it, where the device can. */
  close?(): void | Promise<void>;
}

/** A graph that is ready to run. */
export interface DeviceProgram<Buffer> {
  /**
   * Runs once; not called before the last run is done.
   *
   * @param inputs in the order of the graph's inputs, of their types, but those that `compile` was given. They are lent: a host
   *   array is not to be changed, and a buffer not freed.
   * @returns a buffer for each output, in their order, which the caller then owns: no two may be one, nor an input
   */
  run(
    inputs: readonly (HostArray | Buffer)[],
    control: RunControl,
  ): readonly Buffer[] | Promise<readonly Buffer[]>;
  /** Frees what it holds, once the runs are done. Its results stay. */
  dispose?(): void | Promise<void>;
}

/** What a run may ask for and tell. */
export interface RunControl {
  /** Has not fired when the run begins; to be looked at where a run waits. */
  readonly signal: CancellationSignal | undefined;
  /**
   * Gives the state up before the run is done, so that memory is free in the middle of it: from here on the run holds what it
   * still reads of it by itself. The state is then lost when the run fails. By default it is given up when the run has succeeded.
   */
  donate(): void;
  /**
   * Whether somebody else, another run or a read, is using the buffer of an input, or this run for another input too. What is not
   * shared is the run's own from the donation on, if that follows in the same turn of the event loop.
   *
   * @param input its place among the inputs of `run`
   */
  isShared(input: number): boolean;
  /** To add to: what the run moves beside its inputs. */
  readonly moved: Transfers;
}

/** What goes between host and device. */
export interface Transfers {
  /** Bytes of host arrays that were taken, as constants once and as inputs by runs. State that stays on the device adds nothing. */
  hostToDeviceBytes: number;
  /** Bytes copied to the host by `read()`. */
  deviceToHostBytes: number;
}
