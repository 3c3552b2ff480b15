/** Dice: choices one after the other, from one random key. The same key makes the same choices on every platform. */
import type { RandomKey } from '@meanflow/core';

const BLOCK = 64;

export class Dice {
  private words: Uint32Array = new Uint32Array(0);
  private next = 0;
  private blocks = 0;

  constructor(private readonly key: RandomKey) {}

  private word(): number {
    if (this.next === this.words.length) {
      this.words = this.key.fold(this.blocks++).bits(BLOCK);
      this.next = 0;
    }
    return this.words[this.next++]!;
  }

  /** A whole number from 0 to n − 1. */
  below(n: number): number {
    return Math.floor((this.word() / 2 ** 32) * n);
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with a probability. */
  chance(probability: number): boolean {
    return this.word() / 2 ** 32 < probability;
  }

  /** True once in so many times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  /** One of a list that is not empty. */
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** One of a list by weights. */
  weighted<T extends { readonly weight: number }>(list: readonly T[]): T {
    let left = (this.word() / 2 ** 32) * list.reduce((total, { weight }) => total + weight, 0);
    return list.find(({ weight }) => (left -= weight) < 0) ?? list[list.length - 1]!;
  }

  /** The list in a random order. */
  shuffled<T>(list: readonly T[]): T[] {
    const left = [...list];
    return list.map(() => left.splice(this.below(left.length), 1)[0]!);
  }

  /** Each member with even chances. */
  some<T>(list: readonly T[]): T[] {
    return list.filter(() => this.below(2) === 0);
  }

  /** A key for numbers that are drawn at once. */
  stream(name: string): RandomKey {
    return this.key.fold(name).fold(this.word());
  }
}
