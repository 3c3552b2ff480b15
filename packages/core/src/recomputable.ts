/**
 * Blocks of a network that training may compute again in its backward pass instead of keeping what is inside of them. A network says
 * by `recomputable` what its blocks are, which costs nothing; which of them are recomputed is the choice of who traces it, most often
 * that of `fitMemory`: as few as bring the peak of a graph below a budget.
 */
import { checkpoint } from './checkpoint.js';
import { ArgumentError } from './errors.js';
import type { Graph } from './graph.js';
import { drainGivingWay } from './giving-way.js';
import { preparing } from './prepare.js';
import type { TreeOf } from './pytree.js';
import type { Tensor } from './tensor.js';

/** Which blocks are recomputed, by their names. */
export interface BlockChoice {
  readonly recomputed: ReadonlySet<string>;
  /** Told of each block that is met, each time. */
  readonly onBlock?: ((name: string) => void) | undefined;
}

/** That of the function that is being traced. It is one step of a trace, so that there is one. */
let current: BlockChoice | undefined;

/** What `f` returns, traced with this choice. */
export function recomputing<T>(choice: BlockChoice | undefined, f: () => T): T {
  const before = current;
  current = choice;
  try {
    return f();
  } finally {
    current = before;
  }
}

/**
 * `f` as a block that may be recomputed: the same values and derivatives.
 *
 * @param name of the block in its network, such as `blocks/3`; the same whenever the network is evaluated
 * @param f a pure function of trees of tensors; it may capture others
 */
export function recomputable<
  Args extends readonly unknown[] & TreeOf<Args, Tensor>,
  Out extends TreeOf<Out, Tensor>,
>(name: string, f: (...args: Args) => Out): (...args: Args) => Out {
  return (...args) => {
    current?.onBlock?.(name);
    const isRecomputed = current?.recomputed.has(name) ?? false;
    return isRecomputed ? checkpoint(f, { tangents: true })(...args) : f(...args);
  };
}

/** What was chosen for a budget. */
export interface MemoryPlan {
  /** Bytes that were allowed. */
  readonly budget: number;
  /** Bytes at the peak of the graph, in the order of its instructions; what a runtime adds is not among them. */
  readonly bytes: number;
  /** Bytes at the peak without recomputation. */
  readonly bytesWithout: number;
  /** Names of the blocks that are recomputed, in the order in which they are met. */
  readonly recomputed: readonly string[];
  /** How many blocks there are. */
  readonly blocks: number;
}

/**
 * As few recomputed blocks as bring a graph's peak below a budget: the first ones, for what is kept of the last is free again by the
 * time that the first are recomputed. A handful of graphs are traced and prepared for it.
 *
 * @param budget in bytes
 * @param trace the graph with a choice of blocks
 * @throws {ArgumentError} when the graph takes more with every block recomputed
 */
export async function fitMemory(
  budget: number,
  trace: (choice: BlockChoice) => Graph | Promise<Graph>,
): Promise<MemoryPlan> {
  const names = new Set<string>();
  const peakWith = async (count: number): Promise<number> => {
    const recomputed = new Set([...names].slice(0, count));
    const graph = await trace({ recomputed, onBlock: (name) => void names.add(name) });
    const prepared = await drainGivingWay(preparing(graph));
    return prepared.stats().peakBytes;
  };
  const bytesWithout = await peakWith(0);
  const blocks = names.size;
  const plan = (count: number, bytes: number): MemoryPlan => {
    return { budget, bytes, bytesWithout, recomputed: [...names].slice(0, count), blocks };
  };
  if (bytesWithout <= budget) return plan(0, bytesWithout);
  const leastBytes = blocks === 0 ? bytesWithout : await peakWith(blocks);
  if (leastBytes > budget) {
    const how =
      blocks === 0
        ? ', and its network says no blocks that could be recomputed'
        : ' with every block recomputed';
    throw new ArgumentError(
      `A memory of ${gigabytes(budget)} is too little: a step takes at least ${gigabytes(leastBytes)}${how}. ` +
        'Take fewer rows at once (a smaller batch, or accumulate), or allow more.',
    );
  }
  let [tooFew, enough, bytes] = [0, blocks, leastBytes];
  while (enough - tooFew > 1) {
    const count = Math.floor((tooFew + enough) / 2);
    const found = await peakWith(count);
    if (found <= budget) [enough, bytes] = [count, found];
    else tooFew = count;
  }
  return plan(enough, bytes);
}

const gigabytes = (bytes: number): string => `${Number((bytes / 1e9).toPrecision(3))} GB`;
