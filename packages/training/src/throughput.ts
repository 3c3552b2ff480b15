/** Steps per second: over all of a run, and over the last few seconds for a progress bar. */
import { leading } from '@meanflow/core/validation';

/** Seconds that the recent pace looks back, at least. */
const WINDOW = 5;
/** Seconds between two reports. */
const INTERVAL = 0.1;

export class Throughput {
  private readonly start = performance.now();
  private marks: { readonly seconds: number; readonly step: number }[];
  private lastReport = 0;

  constructor(readonly firstStep: number) {
    this.marks = [{ seconds: 0, step: firstStep }];
  }

  /** Since the beginning. */
  seconds(): number {
    return (performance.now() - this.start) / 1000;
  }

  /** Steps per second of late; 0 before the first. */
  recent(step: number): number {
    const now = this.seconds();
    const [oldest] = leading(this.marks, 1);
    return step > oldest.step && now > oldest.seconds ? (step - oldest.step) / (now - oldest.seconds) : 0;
  }

  /** Whether it is time for a report; it counts as made. */
  isDue(step: number): boolean {
    const now = this.seconds();
    if (now - this.lastReport < INTERVAL) return false;
    this.lastReport = now;
    this.marks.push({ seconds: now, step });
    // The last mark before the window stays: where a run takes longer than that, it is all there is to measure from.
    const from = this.marks.findLastIndex(({ seconds }) => now - seconds > WINDOW);
    this.marks = this.marks.slice(Math.max(from, 0));
    return true;
  }
}
