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
    await this.prepare(inputs, results)(signal);
  }

  /**
   * Makes a run ready, of which nothing is read or written yet.
   *
   * @returns what starts it, to be called once: `run`'s promise
   */
  prepare(
    inputs: readonly (HostArray | Block)[],
    results: readonly Block[],
  ): (signal?: AbortEvents) => Promise<void> {
    /** Values over host arrays, which are of this run alone. */
    const lent: Pointer[] = [];
    const lentElements: Elements[] = [];
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
      const keptAlive = [inputs, results, lentElements, given, returned];
      return (signal) => this.start(given, returned, lent, keptAlive, signal);
    } catch (error) {
      this.release(lent);
      throw this.failure(error);
    }
  }

  private async start(
    given: BigUint64Array,
    returned: BigUint64Array,
    lent: readonly Pointer[],
    keptAlive: readonly unknown[],
    signal: AbortEvents | undefined,
  ): Promise<void> {
    const { api } = this.library;
    const options = signal === undefined ? undefined : api.CreateRunOptions();
    const abort = (): void => api.RunOptionsSetTerminate(options!);
    try {
      this.running = keptAlive;
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
      throw this.failure(error);
    } finally {
      this.running = [];
      signal?.removeEventListener?.('abort', abort);
      if (options !== undefined) api.ReleaseRunOptions(options);
      this.release(lent);
    }
  }

  private release(values: readonly Pointer[]): void {
    for (const value of values) this.library.api.ReleaseValue(value);
  }

  private failure(error: unknown): BackendError {
    return new BackendError(`Running graph "${this.graph.name}" failed: ${messageOf(error)}`, {
      cause: error,
    });
  }

  dispose(): void {
    this.library.api.ReleaseSession(this.session);
  }
}
