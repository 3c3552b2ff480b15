/**
 * CopyQueue: copies that are asked for at once, such as those of a whole training state, made one after the other. Every few MiB
 * other work of the thread has its turn.
 */
import { nextTurn } from '@meanflow/core/backend';

/** Bytes that are copied before that: some milliseconds' work. */
const COPIED_AT_ONCE = 8 * 2 ** 20;

export class CopyQueue {
  private copied = 0;
  private last: Promise<void> = Promise.resolve();

  /** @param giveWay waits for the next turn; by a timer by default */
  constructor(private readonly giveWay: () => Promise<void> = nextTurn) {}

  /** What `make` makes, which copies so many bytes, when it is its turn. */
  copy<T>(bytes: number, make: () => T | Promise<T>): Promise<T> {
    const made = this.last.then(async () => {
      this.copied += bytes;
      if (this.copied > COPIED_AT_ONCE) {
        await this.giveWay();
        this.copied = bytes;
      }
      return make();
    });
    // What was made is its caller's alone.
    this.last = made.then(
      () => {},
      () => {},
    );
    return made;
  }
}
