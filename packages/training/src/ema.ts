/**
 * Exponential moving averages of the parameters, several decays at once: e ← e + (1 − d)·(p − e), after the
 * optimizer, beginning as copies of the initial parameters. Each step's weight 1 − d is computed on the host in
 * float64. In this form a constant parameter stays exactly what it is, which d·e + (1 − d)·p in float32 does not give.
 */
import { add, ArgumentError, mul, sub, type HostArray, type Tensor, type Tree } from '@meanflow/core';
import { zipLeaves } from './trees.js';

export interface EmaOptions {
  /** Decays per step, each in [0, 1) and different from the others. */
  readonly decays: readonly number[];
  /**
   * Average only every so many steps, with the decay to that power (MeanFlow's CIFAR-10 recipe: 16). 1 by default.
   */
  readonly every?: number;
  /** Begin with smaller decays: min(d, (1 + n) / (10 + n)) at the n-th update, as TensorFlow does. Off by default. */
  readonly rampUp?: boolean;
}

/** The averages' part of a training state: one tree per decay, by `emaKey(decay)`. */
export type EmaState<P> = { readonly [decay: string]: P };

/** How averages are kept: what the trainer needs to know of them. */
export interface Ema {
  /** Keys of the state, in the order of the decays. */
  readonly keys: readonly string[];
  /** The averages change only at steps whose count of updates is a multiple of this. */
  readonly every: number;
  /** The weights 1 − d with which a step's parameters enter, by key. @param step updates made before, from 0 */
  scalars(step: number): Readonly<Record<string, number>>;
  /** The averages before the first update. */
  init<P extends Tree<HostArray>>(params: P): EmaState<P>;
  /** Traced, pure. @param params the parameters after the update */
  update<P extends Tree<Tensor>>(
    averages: EmaState<P>,
    params: P,
    scalars: Readonly<Record<string, Tensor>>,
  ): EmaState<P>;
}

/** The key of a decay in the state and in checkpoints, such as `0.9999`. */
export function emaKey(decay: number): string {
  return String(decay);
}

/** @throws {ArgumentError} when a decay is out of range or given twice, or `every` is not a positive whole number */
export function ema(options: EmaOptions): Ema {
  const { decays, every = 1, rampUp = false } = options;
  for (const decay of decays) {
    if (!(decay >= 0 && decay < 1)) throw new ArgumentError(`ema: a decay lies in [0, 1), got ${decay}.`);
  }
  if (new Set(decays).size !== decays.length) {
    throw new ArgumentError(`ema: the decays [${decays.join(', ')}] name one twice.`);
  }
  if (!Number.isSafeInteger(every) || every < 1) {
    throw new ArgumentError(`ema: every is a whole number from 1, got ${every}.`);
  }
  const byKey = <V>(f: (decay: number, key: string) => V): Record<string, V> =>
    Object.fromEntries(decays.map((decay) => [emaKey(decay), f(decay, emaKey(decay))]));
  return {
    keys: decays.map(emaKey),
    every,
    init: (params) => byKey(() => params),
    scalars(step) {
      const updates = step + 1;
      const weight = (decay: number): number => {
        if (updates % every !== 0) return 0;
        const ramped = rampUp ? Math.min(decay, (1 + updates) / (10 + updates)) : decay;
        return 1 - ramped ** every;
      };
      return byKey(weight);
    },
    update: (averages, params, scalars) =>
      byKey((_, key) =>
        zipLeaves('ema', averages[key], [params], ([average, param]) =>
          add(average, mul(sub(param, average), scalars[key])),
        ),
      ),
  };
}
