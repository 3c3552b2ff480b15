/**
 * NativeProgram: one graph, one session of the C API. A run reads host arrays and earlier results where they lie and writes its
 * results into blocks of ours, on a thread of its own: JavaScript goes on meanwhile.
 */
import { BackendError, HostArray, type CancellationSignal, type TensorType } from '@meanflow/core';
import { messageOf, type DeviceProgram, type Program, type RunControl } from '@meanflow/core/backend';
import type { Constants } from '../constants.js';
import { toElements, type Elements } from '../elements.js';
import { inputName, outputName } from '../lower-graph.js';
import type { Block, Blocks } from './blocks.js';
import type { Pointer } from './koffi.js';
import type { OrtLibrary } from './library.js';
import { namesOf, type Names } from './names.js';

/** An AbortSignal, as far as it may be listened to. */
interface AbortEvents extends CancellationSignal {
  addEventListener?(type: 'abort', listener: () => void): void;
  removeEventListener?(type: 'abort', listener: () => void): void;
}

export class NativeProgram implements DeviceProgram<Block> {
  private readonly inputs: Names;
  private readonly outputs: Names;
  private readonly inputTypes: readonly TensorType[];
  private readonly outputTypes: readonly TensorType[];
  private readonly forgetOutputs: () => void;
  /** What the run that is under way reads and writes: C's addresses keep nothing alive. */
  private running: readonly unknown[] = [];

  /**
   * @param graph with the inputs that runs are given
   * @param constants the memory that the session reads its initializers in
   * @param initializers the values over it
   */
  constructor(
    private readonly library: OrtLibrary,
    private readonly session: Pointer,
    private readonly graph: Program,
    private readonly blocks: Blocks,
    private constants: Constants = {},
    private readonly initializers: ReadonlyMap<string, Pointer> = new Map(),
  ) {
    this.inputs = namesOf(
      library.koffi,
      graph.inputs.map(({ name }) => inputName(name)),
    );
    this.outputs = namesOf(
      library.koffi,
      graph.outputs.map(({ name }) => outputName(name)),
    );
    this.inputTypes = graph.inputs.map(({ value }) => graph.types[value]!);
    this.outputTypes = graph.outputs.map(({ value }) => graph.types[value]!);
    this.forgetOutputs = blocks.expect(this.outputTypes);
  }

  async run(inputs: readonly (HostArray | Block)[], control: RunControl): Promise<readonly Block[]> {
    const { api } = this.library;
    const signal: AbortEvents | undefined = control.signal;
    /** Values over host arrays, which are of this run alone. */
    const lent: Pointer[] = [];
    const lentElements: Elements[] = [];
    const results: Block[] = [];
    const options = signal === undefined ? undefined : api.CreateRunOptions();
    const abort = (): void => api.RunOptionsSetTerminate(options!);
    try {
      const given = BigUint64Array.from(inputs, (input, i) => {
        if (!(input instanceof HostArray)) return input.value;
        const type = this.inputTypes[i]!;
        const elements = toElements(input, type.dtype);
        lentElements.push(elements);
        const value = this.library.valueOver(elements, type);
        lent.push(value);
        return value;
      });
      for (const type of this.outputTypes) results.push(this.blocks.take(type));
      const returned = BigUint64Array.from(results, ({ value }) => value);
      this.running = [inputs, lentElements, given, returned];
      signal?.addEventListener?.('abort', abort);
      await api.Run.async(
        this.session,
        options ?? null,
        this.inputs.places,
        given,
        given.length,
        this.outputs.places,
        returned.length,
        returned,
      );
      return results;
    } catch (error) {
      for (const block of results) this.blocks.give(block);
      signal?.throwIfAborted();
      throw new BackendError(`Running graph "${this.graph.name}" failed: ${messageOf(error)}`, {
        cause: error,
      });
    } finally {
      this.running = [];
      signal?.removeEventListener?.('abort', abort);
      if (options !== undefined) api.ReleaseRunOptions(options);
      for (const value of lent) api.ReleaseValue(value);
    }
  }

  dispose(): void {
    this.forgetOutputs();
    const { api } = this.library;
    api.ReleaseSession(this.session);
    for (const value of this.initializers.values()) api.ReleaseValue(value);
    this.constants = {};
  }
}
