/**
 * Losses that are still on the device, and some of the raw errors beside them. They are read together, when somebody wants
 * to see one; then each is checked, so that a loss that is not finite is known by the very step that made it although most
 * are not logged.
 */
import type { DeviceArray } from '@meanflow/core';

/** The most scalars left on a device. */
const CAPACITY = 1000;

interface PendingStep {
  readonly step: number;
  readonly loss: DeviceArray;
  /** The squared error as it is, where this step is one of those that are watched. */
  readonly error: DeviceArray | undefined;
}

/** What was read of a step. */
export interface ReadStep {
  readonly step: number;
  readonly loss: number;
  readonly error: number | undefined;
}

export class PendingLosses {
  private pending: PendingStep[] = [];
  private lastRead: number | undefined;

  /** The finite loss that was last read, if any. */
  get last(): number | undefined {
    return this.lastRead;
  }

  /** Whether it is time to read. */
  get isFull(): boolean {
    return this.pending.length >= CAPACITY;
  }

  add(step: number, loss: DeviceArray, error?: DeviceArray): void {
    this.pending.push({ step, loss, error });
  }

  /** Reads and disposes of all up to a step, in their order; `last` then is the latest finite one of them. */
  async read(until = Infinity): Promise<readonly ReadStep[]> {
    const due = this.pending.filter(({ step }) => step <= until);
    try {
      const read = await Promise.all(
        due.map(async ({ step, loss, error }) => ({
          step,
          loss: (await loss.read()).item(),
          error: (await error?.read())?.item(),
        })),
      );
      this.lastRead = read.findLast(({ loss }) => Number.isFinite(loss))?.loss ?? this.lastRead;
      return read;
    } finally {
      due.forEach(release);
      this.pending = this.pending.filter(({ step }) => step > until);
    }
  }

  dispose(): void {
    this.pending.forEach(release);
    this.pending = [];
  }
}

function release({ loss, error }: PendingStep): void {
  loss.dispose();
  error?.dispose();
}
