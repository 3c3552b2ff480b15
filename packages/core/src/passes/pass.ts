/**
 * A pass of `prepare`: a graph to a graph of the same inputs, outputs and values. It is a generator, which gives way where it is drained
 * by someone who has other things to do meanwhile; what it yields has no meaning.
 */
import type { Graph } from '../graph.js';
import type { CompositeCall } from '../tensor.js';

/** What a pass knows of whom the graph is prepared for. */
export interface PassContext {
  /** Whether the backend has a kernel for this composite. */
  readonly hasKernel: (call: CompositeCall) => boolean;
  /** Whether `shareRows` is among the passes, so that those which take composites apart after it do its work too. */
  readonly sharesRows: boolean;
}

export type Passing = Generator<void, Graph>;

export type Pass = (graph: Graph, context: PassContext) => Passing;

/** Runs a generator to its end without giving way. */
export function drain<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** How long the event loop may be held at a time, in ms. */
const HELD_AT_MOST = 15;

/**
 * Runs a generator to its end, and lets timers, input and other work have their turn whenever it has held the event loop for
 * some time: what compiles a graph does so, which takes seconds for a large one.
 *
 * @param options.now the time in ms; the clock by default
 * @param options.giveWay waits for the next turn; by a timer by default
 */
export async function drainGivingWay<T>(
  steps: Generator<void, T>,
  {
    now = Date.now,
    giveWay = nextTask,
  }: { readonly now?: () => number; readonly giveWay?: () => Promise<void> } = {},
): Promise<T> {
  let since = now();
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    if (now() - since < HELD_AT_MOST) continue;
    await giveWay();
    since = now();
  }
}

/** The platform's timer, by structure. */
declare function setTimeout(callback: () => void, ms: number): unknown;

function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
