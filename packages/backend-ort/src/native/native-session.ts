/**
 * NativeSession: a session of the C API. A run reads host arrays and earlier results where they lie and writes its results into
 * blocks of ours, on a thread of its own: JavaScript goes on meanwhile.
 */
import { BackendError, HostArray, type CancellationSignal, type TensorType } from '@meanflow/core';
import { messageOf, type Program } from '@meanflow/core/backend';
import { toElements, type Elements } from '../elements.js';
import { inputName, outputName } from '../lower-graph.js';
import type { Block } from './blocks.js';
import type { Pointer } from './koffi.js';
import type { OrtLibrary } from './library.js';
import { namesOf, type Names } from './names.js';

/** An AbortSignal, as far as it may be listened to. */
interface AbortEvents extends CancellationSignal {
  addEventListener?(type: 'abort', listener: () => void): void;
  removeEventListener?(type: 'abort', listener: () => void): void;
}

export class NativeSession {
  readonly outputTypes: readonly TensorType[];
  private readonly inputs: Names;
  private readonly outputs: Names;
  private readonly inputTypes: readonly TensorType[];
  /** What the run that is under way reads and writes: C's addresses keep nothing alive. */
  private running: readonly unknown[] = [];

  /** @param graph with the inputs that runs are given */
  constructor(
    private readonly library: OrtLibrary,
    private readonly session: Pointer,
    readonly graph: Program,
  ) {
    const { koffi } = library;
    this.inputs = namesOf(koffi, graph.inputs.map(({ name }) => inputName(name))); // prettier-ignore
    this.outputs = namesOf(koffi, graph.outputs.map(({ name }) => outputName(name))); // prettier-ignore
    this.inputTypes = graph.inputs.map(({ value }) => graph.types[value]!);
    this.outputTypes = graph.outputs.map(({ value }) => graph.types[value]!);
  }

  /**
   * Runs once.
   *
   * @param results what is written, a block for each output
   * @param signal ends the run between two nodes; without it the run goes to its end
   */
  async run(
    inputs: readonly (HostArray | Block)[],
    results: readonly Block[],
    signal?: AbortEvents,
  ): Promise<void> {
    const { api } = this.library;
    /** Values over host arrays, which are of this run alone. */
    const lent: Pointer[] = [];
    const lentElements: Elements[] = [];
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
      const returned = BigUint64Array.from(results, ({ value }) => value);
      this.running = [inputs, results, lentElements, given, returned];
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
    } catch (error) {
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
    this.library.api.ReleaseSession(this.session);
  }
}
