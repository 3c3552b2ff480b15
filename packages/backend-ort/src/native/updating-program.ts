/**
 * UpdatingProgram: a train step as two sessions, the second of which writes the new state over the old one. A run that fails or is
 * aborted does so in the first, and leaves the state whole. State is written over only where a run was given it as results of earlier
 * ones, and nobody else is reading them.
 */
import { BackendError, HostArray } from '@meanflow/core';
import {
  messageOf,
  type DeviceProgram,
  type NamedValue,
  type Program,
  type RunControl,
} from '@meanflow/core/backend';
import type { Block, Blocks } from './blocks.js';
import type { Pointer } from './koffi.js';
import type { OrtLibrary } from './library.js';
import { NativeSession } from './native-session.js';
import type { SplitUpdate } from './split-update.js';

type Values = ReadonlyMap<string, HostArray | Block>;

export class UpdatingProgram implements DeviceProgram<Block> {
  private readonly step: NativeSession;
  private readonly update: NativeSession;
  private readonly inPlace: SplitUpdate['inPlace'];
  private readonly passed: SplitUpdate['passed'];
  /** Places of the inputs that runs are given. */
  private readonly places: ReadonlyMap<string, number>;
  private readonly forgetOutputs: () => void;

  /**
   * @param outside the graph that was split
   * @param isState whether an input's array is donated to each run
   * @param step the session of the split's step
   * @param update the session of its update
   */
  constructor(
    library: OrtLibrary,
    private readonly outside: Program,
    private readonly isState: (input: string) => boolean,
    split: SplitUpdate,
    step: Pointer,
    update: Pointer,
    private readonly blocks: Blocks,
  ) {
    this.inPlace = split.inPlace;
    this.passed = split.passed;
    this.places = new Map(outside.inputs.map(({ name }, i) => [name, i]));
    this.step = new NativeSession(library, step, split.step);
    this.update = new NativeSession(library, update, split.update);
    this.forgetOutputs = blocks.expect([...this.step.outputTypes, ...this.update.outputTypes]);
  }

  async run(inputs: readonly (HostArray | Block)[], control: RunControl): Promise<readonly Block[]> {
    const given = new Map(this.outside.inputs.map(({ name }, i) => [name, inputs[i]!]));
    const made = await this.runStep(given, control);
    const passed = [...made].filter(([name]) => this.passed.has(name));
    try {
      const updated = await this.runUpdate(new Map([...given, ...passed]), control);
      for (const [, block] of passed) this.blocks.give(block);
      return this.outside.outputs.map(({ name }) => (updated.get(name) ?? made.get(name))!);
    } catch (error) {
      for (const block of made.values()) this.blocks.give(block);
      throw error;
    }
  }

  /** Its results, by name. */
  private async runStep(given: Values, { signal }: RunControl): Promise<ReadonlyMap<string, Block>> {
    const results = new Map<string, Block>();
    try {
      this.take(this.step, results);
      await this.step.run(valuesOf(this.step.graph.inputs, given), [...results.values()], signal);
      signal?.throwIfAborted();
      return results;
    } catch (error) {
      for (const block of results.values()) this.blocks.give(block);
      throw error;
    }
  }

  /** @param given what the graph is given, and what the step passes on */
  private async runUpdate(given: Values, control: RunControl): Promise<ReadonlyMap<string, Block>> {
    const { blocks } = this;
    const { inputs, outputs } = this.update.graph;
    const overwritten = this.overwritten(given, control);
    const results = new Map<string, Block>(overwritten);
    const taken = new Map<string, Block>();
    /** The state that the update reads: whoever gives it back meanwhile does not give it to others. */
    const reserved = new Set<Block>();
    let isBegun = false;
    try {
      // All that wants memory comes before the state is given up, and all up to the donation in one turn of the event loop.
      this.take(this.update, taken, overwritten);
      for (const [name, block] of taken) results.set(name, block);
      const start = this.update.prepare(valuesOf(inputs, given), valuesOf(outputs, results));
      for (const { name } of inputs) {
        const value = given.get(name)!;
        if (this.isState(name) && !(value instanceof HostArray)) reserved.add(value);
      }
      reserved.forEach((block) => blocks.reserve(block));
      isBegun = true;
      control.donate();
      await start();
      for (const block of overwritten.values()) if (blocks.keep(block)) reserved.delete(block);
      return results;
    } catch (error) {
      for (const block of taken.values()) blocks.give(block);
      if (!isBegun) throw error;
      throw new BackendError(`${messageOf(error)} The state that the run was given is lost.`, {
        cause: error,
      });
    } finally {
      reserved.forEach((block) => blocks.unreserve(block));
    }
  }

  /** Takes a block for each of a session's outputs, but those that have one. */
  private take(session: NativeSession, into: Map<string, Block>, except?: ReadonlyMap<string, Block>): void {
    session.graph.outputs.forEach(({ name }, i) => {
      if (!except?.has(name)) into.set(name, this.blocks.take(session.outputTypes[i]!));
    });
  }

  /** The blocks that are written over, which nobody else uses, by the outputs that they are to hold. */
  private overwritten(given: Values, control: RunControl): ReadonlyMap<string, Block> {
    const found = new Map<string, Block>();
    for (const [output, input] of this.inPlace) {
      const value = given.get(input)!;
      if (value instanceof HostArray || control.isShared(this.places.get(input)!)) continue;
      found.set(output, value);
    }
    return found;
  }

  dispose(): void {
    this.forgetOutputs();
    this.step.dispose();
    this.update.dispose();
  }
}

const valuesOf = <T>(places: readonly NamedValue[], values: ReadonlyMap<string, T>): T[] =>
  places.map(({ name }) => values.get(name)!);
