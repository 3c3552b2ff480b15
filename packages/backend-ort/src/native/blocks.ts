/**
 * Blocks: memory that results lie in, owned by the backend, each with its OrtValue. What a run gave up, such as state that was
 * donated, holds an output of the same type of a later run: state goes to and fro between two sets of blocks, and no run
 * allocates or copies. No more stay idle than the live programs could fill; the rest goes to the garbage collector, and so do
 * blocks of arrays that nobody disposed of.
 */
import type { TensorType } from '@meanflow/core';
import { formatType } from '@meanflow/core/validation';
import { storedBytes, type Elements } from '../elements.js';
import type { Pointer } from './koffi.js';

/** Memory for one array. */
export interface Block {
  readonly type: TensorType;
  readonly value: Pointer;
  /** What it holds, in memory of the host; maybe the block's own. */
  read(): Elements | Promise<Elements>;
}

/** Where blocks lie. */
export interface BlockMemory {
  allocate(type: TensorType): Block;
  /** Releases the value of a block that nobody has any more. */
  release(value: Pointer): void;
  /** Ends it, when the last block is released. */
  close(): void;
}

export class Blocks {
  /** Blocks that were allocated since the beginning. */
  allocated = 0;
  private readonly idle = new Map<string, Block[]>();
  /** For each program, how many outputs of each type it has. */
  private readonly demands = new Set<ReadonlyMap<string, number>>();
  /** Blocks that are used after they were donated, and whether they were given back meanwhile. */
  private readonly reserved = new Map<Block, boolean>();
  private readonly forgotten: FinalizationRegistry<Pointer>;

  constructor(private readonly memory: BlockMemory) {
    this.forgotten = new FinalizationRegistry((value) => memory.release(value));
  }

  /** Announces a program's outputs; returns what ends that. */
  expect(outputs: readonly TensorType[]): () => void {
    const demand = new Map<string, number>();
    for (const type of outputs.map(formatType)) demand.set(type, (demand.get(type) ?? 0) + 1);
    this.demands.add(demand);
    return () => {
      this.demands.delete(demand);
      for (const type of demand.keys()) {
        const blocks = this.idle.get(type) ?? [];
        while (blocks.length > this.capacity(type)) this.release(blocks.pop()!);
      }
    };
  }

  take(type: TensorType): Block {
    return this.idle.get(formatType(type))?.pop() ?? this.allocate(type);
  }

  /** Takes back what nobody uses any more. */
  give(block: Block): void {
    if (this.reserved.has(block)) {
      this.reserved.set(block, true);
      return;
    }
    const type = formatType(block.type);
    const blocks = this.idle.get(type) ?? [];
    this.idle.set(type, blocks);
    if (blocks.length < this.capacity(type)) blocks.push(block);
    else this.release(block);
  }

  /** From here on a block that is given back waits for who reserved it, who still uses it. Ended by `keep` or `unreserve`. */
  reserve(block: Block): void {
    this.reserved.set(block, false);
  }

  /** Makes a reserved block the caller's own, if everybody else has given it back. */
  keep(block: Block): boolean {
    return this.reserved.get(block) === true && this.reserved.delete(block);
  }

  /** Ends the use of a block that was reserved and not kept. */
  unreserve(block: Block): void {
    const isBack = this.reserved.get(block) === true;
    this.reserved.delete(block);
    if (isBack) this.give(block);
  }

  /** What waits to be filled. */
  get idleBytes(): number {
    return [...this.idle.values()].flat().reduce((sum, { type }) => sum + storedBytes(type), 0);
  }

  private capacity(type: string): number {
    return Math.max(0, ...[...this.demands].map((demand) => demand.get(type) ?? 0));
  }

  private allocate(type: TensorType): Block {
    const block = this.memory.allocate(type);
    this.forgotten.register(block, block.value, block);
    this.allocated += 1;
    return block;
  }

  private release(block: Block): void {
    this.forgotten.unregister(block);
    this.memory.release(block.value);
  }
}
