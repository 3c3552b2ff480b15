/**
 * Pool: the values that a program has while it is made, each with its numbers, as the reference computes them at once.
 * A step is taken when its result is well-conditioned:
 *
 * - numbers are 0 or between 10⁻⁹ and 10⁴ in magnitude (10⁶ for int32; 100 where there are derivatives);
 * - what decides by a number (comparison, sign, floor, truncation, argMax, a condition of non-zero) has that number at
 *   least 10⁻³ away from where it would decide otherwise, relative to its size; or the number was never rounded, and
 *   decides alike everywhere, ties included;
 * - in programs that are differentiated, the same of what has a kink (abs, maximum, …), at a distance of 0.05, whether
 *   rounded or not, so that finite differences see the same piece.
 */
import { HostArray, sizeOf, spec, trace, type DType, type Shape, type Tensor } from '@meanflow/core';
import { interpret } from '@meanflow/core/backend';
import type { Dice } from './dice.js';
import type { Step, ValueNumber } from './program.js';

/** Elements of a value at most. */
export const MAX_ELEMENTS = 240;
/** Axes of a value at most. */
export const MAX_RANK = 5;

const SMALLEST = 1e-9;
const LARGEST_INT = 1e6;

/** A value and what is known of it. */
export interface PoolValue {
  readonly number: ValueNumber;
  readonly dtype: DType;
  readonly shape: Shape;
  /** The reference's, in float64. */
  readonly data: ArrayLike<number>;
  /** Whether every float32 implementation has these very numbers. */
  readonly exact: boolean;
}

/** A call that may become a step. */
export interface Draft {
  readonly op: string;
  readonly operands: readonly PoolValue[];
  readonly apply: Step['apply'];
  readonly write: Step['write'];
  /** Whether it computes numbers that float32 rounds: other than moving, choosing and deciding. */
  readonly rounds?: boolean;
}

/** How far from a decision numbers must be, and how large they may be. */
export interface Margins {
  readonly rounded: number;
  readonly exact: number;
  /** For what has a kink there. */
  readonly kink: number;
  /** The largest magnitude of a float. */
  readonly largest: number;
}

export const ordinaryMargins: Margins = { rounded: 1e-3, exact: 0, kink: -1, largest: 1e4 };
/** For programs that are differentiated. */
export const smoothMargins: Margins = { rounded: 0.05, exact: 0.05, kink: 0.05, largest: 100 };

export class Pool {
  readonly values: PoolValue[] = [];
  readonly steps: Step[] = [];
  private readonly unused = new Set<ValueNumber>();

  constructor(
    readonly dice: Dice,
    readonly inputs: readonly HostArray[],
    readonly margins: Margins,
    /** How often a step stands on the last value that fits it. */
    private readonly lateness: number,
  ) {
    for (const { dtype, shape, data } of inputs)
      this.push({ dtype: dtype as DType, shape, data, exact: true });
  }

  private push(value: Omit<PoolValue, 'number'>): void {
    const number = this.values.length;
    this.values.push({ ...value, number });
    this.unused.add(number);
  }

  /** Values that no step has taken. */
  get loose(): ValueNumber[] {
    return [...this.unused];
  }

  /** One of the values that fit, rather a late one, so that steps stand on one another. */
  pick(fits: (value: PoolValue) => boolean): PoolValue | undefined {
    const found = this.values.filter(fits);
    if (found.length === 0) return undefined;
    if (this.dice.chance(this.lateness)) return found[found.length - 1];
    return this.dice.of(this.dice.chance(0.5) ? found.slice(-3) : found);
  }

  float(fits: (value: PoolValue) => boolean = () => true): PoolValue | undefined {
    return this.pick((value) => value.dtype === 'float32' && fits(value));
  }

  /** Takes a call, if its results are well-conditioned. */
  take({ op, operands, apply, write, rounds = false }: Draft): boolean {
    const { graph } = trace(
      (given: readonly Tensor[]) => [...apply(given)],
      operands.map(({ dtype, shape }) => spec(shape, dtype)),
    );
    const named = operands.map(({ dtype, shape, data }, i): [string, HostArray] => [
      `${i}`,
      hostOf(dtype, shape, data),
    ]);
    const results = Object.values(interpret(graph, Object.fromEntries(named)));
    const types = graph.outputs.map(({ value }) => graph.types[value]!);
    if (!types.every(({ shape }) => sizeOf(shape) <= MAX_ELEMENTS && shape.length <= MAX_RANK)) return false;
    if (!results.every((result) => isOrdinary(result, this.margins.largest))) return false;
    this.steps.push({ op, operands: operands.map(({ number }) => number), results: types, apply, write });
    for (const { number } of operands) this.unused.delete(number);
    const isExact = operands.every(({ dtype, exact }) => dtype !== 'float32' || exact);
    results.forEach(({ data }, i) => {
      const { dtype, shape } = types[i]!;
      const isStored =
        dtype !== 'float32' || Array.prototype.every.call(data, (x: number) => Math.fround(x) === x);
      this.push({ dtype, shape, data, exact: dtype !== 'float32' || (!rounds && isExact && isStored) });
    });
    return true;
  }

  /**
   * Whether a decision by these distances from its boundary is the same everywhere.
   *
   * @param exact whether the numbers were never rounded
   * @param scale of the numbers that are compared
   */
  decides(distances: Iterable<number>, exact: boolean, scale = 1): boolean {
    return farEnough(distances, (exact ? this.margins.exact : this.margins.rounded) * Math.max(1, scale));
  }

  /** Whether a kink at these distances is out of the way. */
  isSmoothAt(distances: Iterable<number>, scale = 1): boolean {
    return this.margins.kink < 0 || farEnough(distances, this.margins.kink * Math.max(1, scale));
  }
}

function farEnough(distances: Iterable<number>, margin: number): boolean {
  if (margin === 0) return true;
  for (const distance of distances) if (!(Math.abs(distance) >= margin)) return false;
  return true;
}

/** The largest magnitude among numbers. */
export function magnitude(data: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < data.length; i++) largest = Math.max(largest, Math.abs(data[i]!));
  return largest;
}

function hostOf(dtype: DType, shape: Shape, data: ArrayLike<number>): HostArray {
  if (dtype === 'float32') return new HostArray('float64', shape, Float64Array.from(data));
  if (dtype === 'int32') return new HostArray('int32', shape, Int32Array.from(data));
  return new HostArray('bool', shape, Uint8Array.from(data));
}

function isOrdinary({ dtype, data }: HostArray, largestFloat: number): boolean {
  const largest = dtype === 'int32' ? LARGEST_INT : largestFloat;
  return Array.prototype.every.call(data, (x: number) => {
    const size = Math.abs(x);
    return size === 0 || (size >= SMALLEST && size <= largest);
  });
}
