/**
 * Work in steps: a generator that stops now and then, where it may give way to other work of the thread. Who has nothing else to do
 * drains it at once; who has timers, input or other work gives way whenever the work has held the event loop for some time. What
 * it yields has no meaning. Tracing, preparing and lowering a graph are such work, which takes seconds for a large one.
 */

/** Work in steps that comes to a `T`. */
export type Steps<T> = Generator<void, T>;

/** Does all steps without giving way. */
export function drain<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** How long the event loop may be held at a time, in ms. */
const HELD_AT_MOST = 15;

/**
 * Does all steps, and lets timers, input and other work have their turn whenever it has held the event loop for
 * some time: what compiles a graph does so, which takes seconds for a large one.
 *
 * @param options.now the time in ms; the clock by default
 * @param options.giveWay waits for the next turn; by a timer by default
 */
export async function drainGivingWay<T>(
  steps: Steps<T>,
  {
    now = Date.now,
    giveWay = nextTurn,
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

/** Waits until timers, input and other work of the thread have had their turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
