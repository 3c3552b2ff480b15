/**
 * NativeProgram: one graph, one session of the C API. A run reads host arrays and earlier results where they lie and writes its
 * results into blocks of ours, on a thread of its own: JavaScript goes on meanwhile.
 */
import { getTextEncoding } from '@bufbuild/protobuf/wire';
import {
  BackendError,
  HostArray,
  type CancellationSignal,
  type Graph,
  type TensorType,
} from '@meanflow/core';
import { messageOf, type DeviceProgram, type RunControl } from '@meanflow/core/backend';
import { toElements, type Elements } from '../elements.js';
import { inputName, outputName } from '../lower-graph.js';
import type { Block, Blocks } from './blocks.js';
import type { Pointer } from './koffi.js';
import type { OrtLibrary } from './library.js';

/** An AbortSignal, as far as it may be listened to. */
interface AbortEvents extends CancellationSignal {
  addEventListener?(type: 'abort', listener: () => void): void;
  removeEventListener?(type: 'abort', listener: () => void): void;
}

/** Zero-terminated names, and where each lies, as C takes lists of texts. */
interface Names {
  readonly places: BigUint64Array;
  readonly characters: Uint8Array;
}

export class NativeProgram implements DeviceProgram<Block> {
  private readonly inputs: Names;
  private readonly outputs: Names;
  private readonly inputTypes: readonly TensorType[];
  private readonly outputTypes: readonly TensorType[];
  private readonly forgetOutputs: () => void;
  /** What the run that is under way reads and writes: C's addresses keep nothing alive. */
  private running: readonly unknown[] = [];

  constructor(
    private readonly library: OrtLibrary,
    private readonly session: Pointer,
    private readonly graph: Graph,
    private readonly blocks: Blocks,
  ) {
    this.inputs = namesOf(
      library,
      graph.inputs.map(({ name }) => inputName(name)),
    );
    this.outputs = namesOf(
      library,
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
    this.library.api.ReleaseSession(this.session);
  }
}

function namesOf({ koffi }: OrtLibrary, names: readonly string[]): Names {
  const encoded = names.map((name) => getTextEncoding().encodeUtf8(`${name}\0`));
  const characters = new Uint8Array(encoded.reduce((sum, { length }) => sum + length, 0));
  const start = koffi.address(characters);
  let end = 0;
  const places = BigUint64Array.from(encoded, (name) => {
    const place = end;
    characters.set(name, place);
    end += name.length;
    return start + BigInt(place);
  });
  return { places, characters };
}
