/**
 * Losses that are still on the device. They are read together, when somebody wants to see one; then each is checked,
 * so that a loss that is not finite is reported with the very step that made it although most are not logged.
 */
import type { DeviceArray } from '@meanflow/core';
import { DivergenceError } from './errors.js';

/** The most scalars left on a device. */
const CAPACITY = 1000;

export class PendingLosses {
  private pending: { readonly step: number; readonly loss: DeviceArray }[] = [];
  private lastRead: number | undefined;

  /** The loss that was last read, if any. */
  get last(): number | undefined {
    return this.lastRead;
  }

  /** Whether it is time to read. */
  get isFull(): boolean {
    return this.pending.length >= CAPACITY;
  }

  add(step: number, loss: DeviceArray): void {
    this.pending.push({ step, loss });
  }

  /**
   * Reads and disposes of all up to a step; `last` then is the latest of them.
   *
   * @throws {DivergenceError} naming the first step whose loss is not finite
   */
  async read(until = Infinity): Promise<void> {
    const due = this.pending.filter(({ step }) => step <= until);
    const values = await Promise.all(due.map(async ({ loss }) => (await loss.read()).item()));
    const diverged = values.findIndex((value) => !Number.isFinite(value));
    const step = due[diverged]?.step;
    due.forEach(({ loss }) => loss.dispose());
    this.pending = this.pending.filter(({ step: later }) => later > until);
    if (step !== undefined) {
      throw new DivergenceError(
        `The loss at step ${step} is ${values[diverged]}: the run diverged, and was stopped. Checkpoints from before ` +
          'are kept. Lower the learning rate, warm it up for longer, or clip gradients.',
        step,
      );
    }
    this.lastRead = values.at(-1) ?? this.lastRead;
  }

  dispose(): void {
    this.pending.forEach(({ loss }) => loss.dispose());
    this.pending = [];
  }
}
