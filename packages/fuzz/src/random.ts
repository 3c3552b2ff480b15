/** Choices that follow from a seed, a target and a number alone, so that a finding is made again from these three. */
import { RandomKey } from '@meanflow/core';

/** Draws that are made at a time. */
const BATCH = 64;

export class Random {
  private drawn: Uint32Array = new Uint32Array(0);
  private at = 0;
  private batches = 0;
  private readonly key: RandomKey;

  constructor(seed: number, target: string, iteration: number) {
    this.key = RandomKey.fromSeed(seed).fold(target).fold(iteration);
  }

  /** A whole number from 0 up to, and without, `bound`. */
  below(bound: number): number {
    return Math.floor((this.next() / 2 ** 32) * bound);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  private next(): number {
    if (this.at === this.drawn.length) {
      this.drawn = this.key.fold(this.batches++).bits(BATCH);
      this.at = 0;
    }
    return this.drawn[this.at++]!;
  }
}
