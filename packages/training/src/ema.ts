/**
 * Exponential moving averages of the parameters, several decays at once: e ← e + (1 − d)·(p − e), after the
 * optimizer, beginning as copies of the initial parameters. Each step's weight 1 − d is computed on the host in
 * float64. In this form a constant parameter stays exactly what it is, which d·e + (1 − d)·p in float32 does not give.
 */
import {
  add,
  ArgumentError,
  mul,
  sub,
  treeZipMap,
  type AverageReference,
  type HostArray,
  type Tensor,
  type Tree,
} from '@meanflow/core';
import { checkOptions } from '@meanflow/core/validation';

export interface EmaOptions {
  /** Decays per step, each in [0, 1) and different from the others; none by default. */
  readonly decays?: readonly number[];
  /** Averages with half-lives in samples, as in EDM (Karras et al., 2022); none by default. */
  readonly halfLives?: HalfLives;
  /**
   * Average only every so many steps, with the decay to that power (MeanFlow's CIFAR-10 recipe: 16). 1 by default.
   */
  readonly every?: number;
  /**
   * Begin with smaller decays: min(d, (1 + n) / (10 + n)) at the n-th update, as TensorFlow does, so that an average is of
   * use from the first checkpoint on: without it, one of decay 0.999 is 70 % the initial network after 350 updates. True by
   * default; published recipes that keep their decays throughout say false. Half-lives have `rampUpShare`.
   */
  readonly rampUp?: boolean;
}

/** Decays ½^(batch / half-life), with half-lives that grow with what was trained on. */
export interface HalfLives {
  /** Half-lives in samples, each above 0 and different from the others. */
  readonly samples: readonly number[];
  /** Rows in a batch. */
  readonly batch: number;
  /** No half-life is longer than this share of the samples seen; 0.05 by default. */
  readonly rampUpShare?: number;
}

/** The averages' part of a training state: one tree per decay or half-life, by `emaKey` of that number. */
export type EmaState<P> = { readonly [decay: string]: P };

/** How averages are kept: what the trainer needs to know of them. */
export interface Ema {
  /** Keys of the state, in the order of the decays. */
  readonly keys: readonly string[];
  /** The averages change only at steps whose count of updates is a multiple of this. */
  readonly every: number;
  /** The key of the average that is this one at every step, where it is kept. */
  keyOf(reference: AverageReference): string | undefined;
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

/** The key of a decay in the state and in checkpoints, such as `0.9999`, or of a half-life, such as `500000`. */
export function emaKey(decayOrSamples: number): string {
  return String(decayOrSamples);
}

/**
 * @throws {ArgumentError} when a decay or a half-life is out of range or given twice, or `every` is not a positive whole
 *   number
 */
export function ema(options: EmaOptions): Ema {
  const { decays = [], halfLives, every = 1, rampUp = true } = options;
  checkEmaOptions(options);
  const averages = new Map<string, Decay>([
    ...decays.map((decay) => [emaKey(decay), decayOf(decay, rampUp)] as const),
    ...(halfLives?.samples ?? []).map(
      (samples) =>
        [emaKey(samples), (updates: number) => halfLifeDecay(halfLives!, samples, updates)] as const,
    ),
  ]);
  return {
    ...averagesOf(averages, every),
    keyOf: ({ average, rampUp: ramped = true }) =>
      decays.includes(average) && every === 1 && ramped === rampUp ? emaKey(average) : undefined,
  };
}

/** The decay of an average at its n-th update, from 1. */
export type Decay = (updates: number) => number;

/** The decay of an average that begins with smaller ones, or does not. */
export function decayOf(decay: number, rampUp = true): Decay {
  return rampUp ? (updates) => Math.min(decay, (1 + updates) / (10 + updates)) : () => decay;
}

/** Averages by key, each with its decays. */
export function averagesOf(averages: ReadonlyMap<string, Decay>, every = 1): Ema {
  const byKey = <V>(f: (decay: Decay, key: string) => V): Record<string, V> =>
    Object.fromEntries([...averages].map(([key, decay]) => [key, f(decay, key)]));
  return {
    keys: [...averages.keys()],
    every,
    keyOf: () => undefined,
    init: (params) => byKey(() => params),
    scalars(step) {
      const updates = step + 1;
      return byKey((decay) => (updates % every === 0 ? 1 - decay(updates) ** every : 0));
    },
    update: (trees, params, scalars) =>
      byKey((_, key) =>
        treeZipMap(
          'ema',
          (average: Tensor, param: Tensor) => add(average, mul(sub(param, average), scalars[key]!)),
          trees[key]!,
          params,
        ),
      ),
  };
}

/** Shares below this are not worth going on for. */
const NEGLIGIBLE = 1e-9;

/**
 * How much of an average is still what it began as, the initial parameters: the product of its decays, from 1 before the
 * first update down to 0.
 *
 * @param key the average's key @param updates made so far
 */
export function initialShare(averages: Pick<Ema, 'scalars'>, key: string, updates: number): number {
  let share = 1;
  for (let step = 0; step < updates && share > NEGLIGIBLE; step++) share *= 1 - averages.scalars(step)[key]!;
  return share > NEGLIGIBLE ? share : 0;
}

function halfLifeDecay({ batch, rampUpShare = 0.05 }: HalfLives, samples: number, updates: number): number {
  return 0.5 ** (batch / Math.min(samples, updates * batch * rampUpShare));
}

function checkEmaOptions(options: EmaOptions): void {
  checkOptions<EmaOptions>('ema', options, { decays: true, halfLives: true, every: true, rampUp: true });
  const { decays = [], halfLives, every = 1 } = options;
  checkOptions<HalfLives>('ema: halfLives', halfLives, { samples: true, batch: true, rampUpShare: true });
  for (const decay of decays) {
    if (!(decay >= 0 && decay < 1)) throw new ArgumentError(`ema: a decay lies in [0, 1), got ${decay}.`);
  }
  if (new Set(decays).size !== decays.length) {
    throw new ArgumentError(`ema: the decays [${decays.join(', ')}] name one twice.`);
  }
  if (!Number.isSafeInteger(every) || every < 1) {
    throw new ArgumentError(`ema: every is a whole number from 1, got ${every}.`);
  }
  if (halfLives === undefined) return;
  const { samples, batch, rampUpShare = 0.05 } = halfLives;
  for (const value of samples) {
    if (!(value >= 1 && value < Infinity))
      throw new ArgumentError(`ema: a half-life is from 1 sample, got ${value}.`);
  }
  if (new Set(samples).size !== samples.length) {
    throw new ArgumentError(`ema: the half-lives [${samples.join(', ')}] name one twice.`);
  }
  if (!Number.isSafeInteger(batch) || batch < 1 || !(rampUpShare > 0 && rampUpShare < Infinity)) {
    throw new ArgumentError(
      `ema: half-lives need a batch from 1 and rampUpShare above 0, got ${batch} and ${rampUpShare}.`,
    );
  }
}
