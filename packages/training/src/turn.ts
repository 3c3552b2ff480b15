/**
 * Turn: one call at a time on something that has state. A second call that would change it in the middle of the first is
 * refused rather than put off: whoever makes two has lost sight of one. What only looks waits for its turn.
 */
import { BusyError, DisposedError } from '@meanflow/core';

export class Turn {
  private current: { readonly name: string; readonly done: Promise<unknown> } | undefined;
  private ending: Promise<void> | undefined;

  /** @param what it is about, for errors */
  constructor(private readonly what: string) {}

  /** @throws {BusyError} when a call is under way @throws {DisposedError} after `end` */
  check(name: string): void {
    if (this.ending !== undefined) throw new DisposedError(`${name}: the ${this.what} was disposed of.`);
    if (this.current === undefined) return;
    throw new BusyError(
      `${name} was called while ${this.current.name} was under way on the same ${this.what}; await one before the other.`,
    );
  }

  /**
   * Does work that nothing else may overlap.
   *
   * @throws {BusyError} when a call is under way
   * @throws {DisposedError} after `end`
   */
  async take<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.check(name);
    // Not at once: work that asks for a turn itself is an overlap, too.
    const done = Promise.resolve().then(work);
    this.current = { name, done };
    try {
      return await done;
    } finally {
      this.current = undefined;
    }
  }

  /** Waits until no call is under way; what follows without waiting is overlapped by none. @throws {DisposedError} after `end` */
  async idle(name: string): Promise<void> {
    while (this.current !== undefined) await settled(this.current.done);
    this.check(name);
  }

  /** Does the last work, once, after the call that is under way; later ones are refused. */
  end(work: () => Promise<void>): Promise<void> {
    this.ending ??= settled(this.current?.done).then(work);
    return this.ending;
  }
}

/** When a promise is done, one way or the other. */
function settled(promise: Promise<unknown> | undefined): Promise<unknown> {
  return Promise.allSettled([promise]);
}
