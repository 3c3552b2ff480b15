/**
 * Samplers of time intervals (r, t) with 0 ≤ r ≤ t ≤ 1, over which MeanFlow learns the average velocity. They
 * are one family: two times from two distributions, put in order, and r set to t on a share of the rows,
 * where the objective is plain flow matching. The published samplers are the presets below. As for single
 * times, raw draws and the map from them are separate.
 */
import { ArgumentError, HostArray, type RandomKey } from '@meanflow/core';
import * as z from 'zod';
import { drawRawTimes, share, timeDistribution, timesFromRaw, type Times } from './distribution.js';

/** A sampler of intervals, as plain JSON. */
export const intervalSampler = z
  .strictObject({
    t: timeDistribution.describe('Distribution of the first time.'),
    r: timeDistribution.optional().describe('Distribution of the second; that of `t` by default.'),
    order: z
      .enum(['sort', 'clamp'])
      .optional()
      .describe(
        'sort (default): t is the larger of the two and r the smaller. clamp: t stays and r becomes min(r, t), so that each keeps a distribution of its own.',
      ),
    equalShare: share.describe('Share of rows with r = t.'),
    equalTime: z
      .enum(['ordered', 'drawn'])
      .optional()
      .describe(
        'What t is where r = t. ordered (default): the time that came first in `order`, so that with sort the larger of two. drawn: the first time as it was drawn, so that those rows follow the distribution of `t`.',
      ),
    equalRows: z
      .enum(['first', 'coin'])
      .optional()
      .describe(
        'Which rows have r = t. first (default): exactly the first batch · share, of which a part of a row is one with that probability, so that the share holds on average for any batch. coin: each row with that probability.',
      ),
    uniformShare: share
      .optional()
      .describe(
        "Probability with which a row's two times are uniform on [0, 1) instead, so that no part of [0, 1] is rare; 0 by default.",
      ),
    fullShare: share
      .optional()
      .describe(
        "Share of rows with exactly (r, t) = (0, 1), the interval of one-step sampling: the last batch · share rows, as many as equalRows 'first' would be. 0 by default, as published.",
      ),
  })
  .refine(({ equalShare, fullShare = 0 }) => equalShare + fullShare <= 1, {
    path: ['fullShare'],
    error: 'expected, together with equalShare, at most 1.',
  });
export type IntervalSampler = z.infer<typeof intervalSampler>;

/** Raw numbers behind a batch of intervals; each float32 `[batch]`. */
export interface RawIntervals {
  readonly t: Times;
  readonly r: Times;
  /** Uniform on [0, 1); looked at for `equalRows: 'coin'`. */
  readonly coin?: Times;
  /** Uniforms on [0, 1), looked at where `uniformShare` is not 0: whether a row is uniform, and its times. */
  readonly uniform?: { readonly coin: Times; readonly t: Times; readonly r: Times };
  /**
   * A uniform on [0, 1), a scalar, looked at where a share of the batch is no whole number of rows: whether the part of a
   * row is one. Without it such numbers are rounded down, as in the published code.
   */
  readonly rounding?: Times;
}

/** A batch of intervals. */
export interface Intervals {
  readonly t: Times;
  readonly r: Times;
  /** Where r was set to t (the rows of flow matching). bool `[batch]`. */
  readonly equal: HostArray<'bool'>;
}

/** The raw numbers behind `count` intervals. */
export function drawRawIntervals(key: RandomKey, sampler: IntervalSampler, count: number): RawIntervals {
  return {
    t: drawRawTimes(key.fold('t'), sampler.t, count),
    r: drawRawTimes(key.fold('r'), sampler.r ?? sampler.t, count),
    ...(sampler.equalRows === 'coin' ? { coin: key.fold('coin').uniform([count]) } : {}),
    ...((sampler.uniformShare ?? 0) > 0 ? { uniform: drawRawUniform(key.fold('uniform'), count) } : {}),
    ...(needsRounding(sampler, count) ? { rounding: key.fold('rounding').uniform([]) } : {}),
  };
}

/** How many rows a share of them is: the whole ones, and the part of another. */
function rowsOf(share: number, count: number): { readonly whole: number; readonly part: number } {
  const rows = share * count;
  const nearest = Math.round(rows);
  // Shares such as 0.29 are no binary fractions: 100 times that is a little less than 29.
  if (Math.abs(rows - nearest) <= 1e-9 * count) return { whole: nearest, part: 0 };
  const whole = Math.floor(rows);
  return { whole, part: rows - whole };
}

/**
 * How many of a batch's rows may have r ≠ t, where those are its last: a number that depends on the sampler alone, and not on what
 * is drawn. With a coin it is all rows.
 */
export function rowsWithInterval({ equalShare, equalRows }: IntervalSampler, count: number): number {
  return equalRows === 'coin' ? count : count - rowsOf(equalShare, count).whole;
}

function needsRounding({ equalShare, equalRows, fullShare = 0 }: IntervalSampler, count: number): boolean {
  return (equalRows !== 'coin' && rowsOf(equalShare, count).part > 0) || rowsOf(fullShare, count).part > 0;
}

function drawRawUniform(key: RandomKey, count: number): NonNullable<RawIntervals['uniform']> {
  const draw = (name: string) => key.fold(name).uniform([count]);
  return { coin: draw('coin'), t: draw('t'), r: draw('r') };
}

/**
 * The intervals that raw numbers stand for.
 *
 * @throws {ArgumentError} when `raw` lacks draws that the sampler looks at
 */
export function intervalsFromRaw(sampler: IntervalSampler, raw: RawIntervals): Intervals {
  const { order = 'sort', equalShare, equalTime = 'ordered', equalRows = 'first', fullShare = 0 } = sampler;
  const coin = equalRows === 'coin' ? required(raw.coin, 'coin', "equalRows: 'coin'").data : undefined;
  const [first, second] = drawnTimes(sampler, raw);
  const count = first.length;
  const [t, r, equal] = [new Float32Array(count), new Float32Array(count), new Uint8Array(count)];
  const toss = raw.rounding?.item();
  const [equalPart, fullPart] = [rowsOf(equalShare, count), rowsOf(fullShare, count)];
  // From both ends of the same draw, so that two parts of one row are never both of them.
  const equalCount = equalPart.whole + (toss !== undefined && toss < equalPart.part ? 1 : 0);
  const fullCount = fullPart.whole + (toss !== undefined && toss >= 1 - fullPart.part ? 1 : 0);
  const fullFrom = count - fullCount;
  for (const [i, drawn] of first.entries()) {
    const other = second[i]!;
    t[i] = order === 'sort' ? Math.max(drawn, other) : drawn;
    r[i] = Math.min(drawn, other);
    const isEqual = coin === undefined ? i < equalCount : coin[i]! < equalShare;
    if (i >= fullFrom) [r[i], t[i]] = [0, 1];
    else if (isEqual) {
      if (equalTime === 'drawn') t[i] = drawn;
      [r[i], equal[i]] = [t[i]!, 1];
    }
  }
  const array = (data: Float32Array) => new HostArray('float32', [count], data);
  return { t: array(t), r: array(r), equal: new HostArray('bool', [count], equal) };
}

/** The two times of each row, before they are put in order. */
function drawnTimes(sampler: IntervalSampler, raw: RawIntervals): readonly [Float32Array, Float32Array] {
  const t = timesFromRaw(sampler.t, raw.t).data;
  const r = timesFromRaw(sampler.r ?? sampler.t, raw.r).data;
  const { uniformShare = 0 } = sampler;
  if (uniformShare > 0) {
    const uniform = required(raw.uniform, 'uniform', 'uniformShare');
    uniform.coin.data.forEach((toss, i) => {
      if (toss < uniformShare) [t[i], r[i]] = [uniform.t.data[i]!, uniform.r.data[i]!];
    });
  }
  return [t, r];
}

function required<T>(draws: T | undefined, name: string, field: string): T {
  if (draws === undefined) throw new ArgumentError(`An interval sampler with ${field} needs raw.${name}.`);
  return draws;
}

/** `count` intervals. */
export function sampleIntervals(key: RandomKey, sampler: IntervalSampler, count: number): Intervals {
  return intervalsFromRaw(sampler, drawRawIntervals(key, sampler, count));
}
