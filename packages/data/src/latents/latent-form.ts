/**
 * What an array of latents does not say of itself: where its channels are, and whether they are values, or the means and log
 * variances of an encoder's posterior. Both are told where shape and statistics leave no doubt, and asked for where they do.
 */
import { DataError, type HostArray, type Shape } from '@meanflow/core';
import { formatShape, leading } from '@meanflow/core/validation';
import { pictureShapeOf } from '../images/array-images.js';
import { stridesOf, type ImageLayout } from '../images/layout.js';

/** What channels mean: values; or means followed by as many log variances, or deviations. */
export type LatentForm = 'values' | 'log-variance' | 'deviation';

export interface FoundForm {
  readonly from: ImageLayout;
  readonly form: LatentForm;
  /** What was told and not asked for, as phrases for people. */
  readonly notes: readonly string[];
}

/** Latents that statistics are taken of. */
const ROWS = 64;
/** Names of arrays that hold means and log variances. */
const MOMENTS = /^(moments|posterior|mean_logvar|mean_log_var)/i;

/**
 * @param latents float `[count, …]` with four axes
 * @param name what the file calls the array
 * @param asked what is known; `fromIfUnclear` is taken where nothing tells, for whom a wrong layout costs nothing
 * @throws {DataError} where it could be read in two ways; the message names the option
 */
export function findLatentForm(
  latents: HostArray,
  name: string | undefined,
  asked: {
    readonly from?: ImageLayout | undefined;
    readonly fromIfUnclear?: ImageLayout | undefined;
    readonly form?: LatentForm | undefined;
  },
  source: string,
): FoundForm {
  const shape = latents.shape.slice(1);
  const from = asked.from ?? layoutOfShape(shape) ?? layoutOfMoments(latents) ?? asked.fromIfUnclear;
  if (from === undefined) {
    throw new DataError(
      `${source}: latents of ${formatShape(shape)} may be channels first or channels last: say which (from: nchw or nhwc; on the ` +
        'command line --layout).',
    );
  }
  const moments = momentsIn(latents, from);
  const isNamed = name !== undefined && MOMENTS.test(name);
  if (asked.form === undefined && (isNamed ? moments === undefined : moments !== undefined)) {
    const reason = isNamed
      ? `the array is called "${name}", and does not look like means and log variances`
      : moments === 'log-variance'
        ? 'the second half of the channels looks like log variances of the first'
        : 'the second half of the channels looks like deviations of the first';
    throw new DataError(
      `${source}: ${reason}: say what the channels are (form: values, log-variance or deviation; on the command line --latent-form).`,
    );
  }
  const form = asked.form ?? moments ?? 'values';
  return {
    from,
    form,
    notes: [
      ...(asked.from === undefined
        ? [`channels ${from === 'nchw' ? 'first' : 'last'} in the file (--layout)`]
        : []),
      ...(asked.form === undefined && form !== 'values'
        ? [`means and ${form === 'deviation' ? 'deviations' : 'log variances'} (--latent-form)`]
        : []),
    ],
  };
}

/** Channels are the axis that is shorter than both others, or the one that is not as long as two that are equal. */
function layoutOfShape(shape: Shape): ImageLayout | undefined {
  const [a, b, c] = leading(shape, 3);
  const isFirst = (b === c && a !== b) || a < Math.min(b, c);
  const isLast = (a === b && c !== a) || c < Math.min(a, b);
  return isFirst === isLast ? undefined : isFirst ? 'nchw' : 'nhwc';
}

/** Where the axes do not tell, channels may: only along theirs do the halves of moments differ. */
function layoutOfMoments(latents: HostArray): ImageLayout | undefined {
  const found = (['nchw', 'nhwc'] as const).filter((layout) => momentsIn(latents, layout) !== undefined);
  return found.length === 1 ? found[0] : undefined;
}

interface ChannelStatistics {
  readonly mean: number;
  readonly deviation: number;
  readonly least: number;
  readonly most: number;
}

/** What the second half of the channels seems to be beside the first; undefined where it is nothing else. */
function momentsIn(latents: HostArray, layout: ImageLayout): Exclude<LatentForm, 'values'> | undefined {
  const statistics = statisticsOf(latents, layout);
  const half = statistics.length / 2;
  if (!Number.isInteger(half)) return undefined;
  const [means, spreads] = [statistics.slice(0, half), statistics.slice(half)];
  const isSpread = ({ mean, deviation, most }: ChannelStatistics): boolean => mean < -deviation && most <= 20;
  if (spreads.every(isSpread) && means.some((channel) => channel.deviation > Math.abs(channel.mean))) {
    return means.some((channel) => !isSpread(channel)) ? 'log-variance' : undefined;
  }
  const areDeviations = spreads.every(({ least, most }) => least >= 0 && most > 0);
  return areDeviations && means.every(({ least }) => least < 0) ? 'deviation' : undefined;
}

/** Of each channel, over latents that are spread over all. */
function statisticsOf({ shape, data, size }: HostArray, layout: ImageLayout): readonly ChannelStatistics[] {
  const [count] = leading(shape, 1);
  const imageShape = pictureShapeOf(shape, layout);
  const [height, width, channels] = imageShape;
  const strides = stridesOf(imageShape, layout);
  const rows = Math.min(ROWS, count);
  return Array.from({ length: channels }, (_, channel) => {
    let [sum, squares, least, most] = [0, 0, Infinity, -Infinity];
    for (let i = 0; i < rows; i++) {
      const start = Math.floor((i * count) / rows) * (size / count) + channel * strides.channel;
      for (let pixel = 0; pixel < height * width; pixel++) {
        const value = data[start + pixel * strides.pixel]!;
        sum += value;
        squares += value * value;
        least = Math.min(least, value);
        most = Math.max(most, value);
      }
    }
    const total = rows * height * width;
    const mean = sum / total;
    return { mean, deviation: Math.sqrt(Math.max(0, squares / total - mean * mean)), least, most };
  });
}
