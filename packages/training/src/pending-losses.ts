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
   * Reads and disposes of all; `last` then is the latest.
   *
   * @throws {DivergenceError} naming the first step whose loss is not finite
   */
  async read(): Promise<void> {
    const values = await Promise.all(this.pending.map(async ({ loss }) => (await loss.read()).item()));
    const diverged = values.findIndex((value) => !Number.isFinite(value));
    const step = this.pending[diverged]?.step;
    this.dispose();
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
