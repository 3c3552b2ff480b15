/** NativeProgram: one graph as one session of the C API. */
import type { HostArray } from '@meanflow/core';
import type { DeviceProgram, Program, RunControl } from '@meanflow/core/backend';
import type { Constants } from '../constants.js';
import type { Block, Blocks } from './blocks.js';
import type { Pointer } from './koffi.js';
import type { OrtLibrary } from './library.js';
import { NativeSession } from './native-session.js';

export class NativeProgram implements DeviceProgram<Block> {
  private readonly session: NativeSession;
  private readonly forgetOutputs: () => void;

  /**
   * @param graph with the inputs that runs are given
   * @param constants the memory that the session reads its initializers in
   * @param initializers the values over it
   */
  constructor(
    private readonly library: OrtLibrary,
    session: Pointer,
    graph: Program,
    private readonly blocks: Blocks,
    private constants: Constants = {},
    private readonly initializers: ReadonlyMap<string, Pointer> = new Map(),
  ) {
    this.session = new NativeSession(library, session, graph);
    this.forgetOutputs = blocks.expect(this.session.outputTypes);
  }

  async run(inputs: readonly (HostArray | Block)[], { signal }: RunControl): Promise<readonly Block[]> {
    const results: Block[] = [];
    try {
      for (const type of this.session.outputTypes) results.push(this.blocks.take(type));
      await this.session.run(inputs, results, signal);
      return results;
    } catch (error) {
      for (const block of results) this.blocks.give(block);
      throw error;
    }
  }

  dispose(): void {
    this.forgetOutputs();
    this.session.dispose();
    for (const value of this.initializers.values()) this.library.api.ReleaseValue(value);
    this.constants = {};
  }
}
