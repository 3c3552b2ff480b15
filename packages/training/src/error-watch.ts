/**
 * Divergence without a NaN: the squared error of training, as it is and not as the objective weights it (an adaptively
 * weighted loss stays at 1 whatever happens), grows far beyond what it was before anything had been learnt. Single batches
 * may be anything, so medians of blocks are compared, and the spread within the best block says what is usual.
 */
import { leading } from '@meanflow/core/validation';

/** Errors in a block. */
const BLOCK = 25;
/** Blocks in a row that must be beyond the bound. */
const BLOCKS = 2;
/** Beyond what is a multiple of the best block's median, of the first one's, and of the spread. */
const OF_BEST = 20;
const OF_FIRST = 3;
const OF_SPREAD = 20;
/** From the median absolute deviation to the standard deviation of normal numbers. */
const MAD_TO_DEVIATION = 1.4826;

/** What was seen of an error that grew. */
export interface Growth {
  /** The first step of the first block that was beyond the bound. */
  readonly since: number;
  /** Median error of the last block. */
  readonly error: number;
  /** Median error of the best block. */
  readonly best: number;
}

export class ErrorWatch {
  private block: { readonly step: number; readonly error: number }[] = [];
  private first = 0;
  private best = { median: Infinity, spread: 0 };
  private since: number | undefined;
  private beyond = 0;

  /** @returns what was seen where the error has diverged with this step */
  add(step: number, error: number): Growth | undefined {
    // Of a step that was skipped.
    if (Number.isNaN(error)) return undefined;
    this.block.push({ step, error });
    if (this.block.length < BLOCK) return undefined;
    const [{ step: begin }] = leading(this.block, 1);
    const errors = this.block.map((each) => each.error);
    this.block = [];
    const center = median(errors);
    // Nothing is a multiple of an error of 0.
    this.first ||= center;
    const { median: best, spread } = this.best;
    const bound = Math.max(OF_BEST * best, OF_FIRST * this.first, best + OF_SPREAD * spread);
    if (center > bound) {
      this.since ??= begin;
      this.beyond++;
      return this.beyond >= BLOCKS ? { since: this.since, error: center, best } : undefined;
    }
    this.since = undefined;
    this.beyond = 0;
    if (center < best) {
      const deviations = errors.map((each) => Math.abs(each - center));
      this.best = { median: center, spread: MAD_TO_DEVIATION * median(deviations) };
    }
    return undefined;
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
