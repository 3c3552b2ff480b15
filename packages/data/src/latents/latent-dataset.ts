/**
 * Latents of an autoencoder as a Dataset: images as `[4, 32, 32]` or so, encoded before training. They are given as they
 * are, or as the mean and log variance (or deviation) of the encoder's posterior, of which every batch draws anew.
 * MeanFlow multiplies Stable Diffusion's latents by 0.18215; improved MeanFlow takes mean and deviation channel by channel.
 */
import { ArgumentError, DataError, HostArray, type RandomKey, sizeOf } from '@meanflow/core';
import { formatShape, leading } from '@meanflow/core/validation';
import { countClasses } from '../class-labels.js';
import { checkBatch, checkCount, type Batch, type Dataset, type Split } from '../dataset.js';
import { pictureShapeOf } from '../images/array-images.js';
import { featureShapeOf, stridesOf, type ImageLayout, type ImageShape } from '../images/layout.js';
import { type Normalisation } from '../normalisation.js';
import { seenValues } from '../describe.js';
import { checkHeldOut, checkNotEmpty, EpochOrder, splitRows, type SplitOptions } from '../split.js';
import { arrayLabels, type LabelMeaning } from './array-labels.js';
import { findLatentForm, type LatentForm } from './latent-form.js';

/** How latents are brought to a network's range: by name, or by channel. */
export type LatentScale =
  | 'meanflow'
  | 'improved-meanflow'
  | 'none'
  | { readonly mean: readonly number[]; readonly deviation: readonly number[] };

export interface LatentOptions extends SplitOptions {
  /** `meanflow` by default: ×0.18215. */
  readonly scale?: LatentScale;
  /** Told from the array's name and statistics by default, and asked for where they do not agree. */
  readonly form?: LatentForm;
  /** How the arrays lie; told from their shape by default, and asked for where it does not tell. */
  readonly from?: ImageLayout;
  /** How they are taken to lie where their shape does not tell, for networks to which places are nothing; an error by default. */
  readonly fromIfUnclear?: ImageLayout;
  /** How batches lie; `nhwc` by default. */
  readonly layout?: ImageLayout;
  /** How many classes there are, where labels are numbers below it; by default those that occur. */
  readonly classCount?: number;
  /** `distinct` by default. */
  readonly labelMeaning?: LabelMeaning;
  /** The stream of random numbers that posteriors are drawn with: of other arrays of the same rows another one. */
  readonly stream?: string;
}

export interface LatentArrays {
  /** float `[count, channels, height, width]` or `[count, height, width, channels]` */
  readonly latents: HostArray;
  /** int32 `[count]` */
  readonly labels?: HostArray;
  /** What the file calls the latents. */
  readonly name?: string;
}

/** Improved MeanFlow's mean and deviation of Stable Diffusion's latents. */
const IMPROVED = {
  mean: [0.86488, -0.27787343, 0.21616915, 0.3738409],
  deviation: [4.85503674, 5.31922414, 3.93725398, 3.9870003],
} as const;
const STABLE_DIFFUSION_SCALE = 0.18215;

/** Between these a deviation is what networks are made for; others are often a scale that was applied twice, or not at all. */
const USUAL_DEVIATION = [0.4, 2.5] as const;

/** Between these the log variance is held, as Stable Diffusion's autoencoder does. */
const [LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE] = [-30, 20];

/**
 * The dataset of latents. Features leave normalised; `denormalise` gives what the decoder takes.
 *
 * @param source what the arrays were read from, for messages
 * @throws {DataError} when the arrays are no latents, hold values that are not finite, or labels do not fit
 * @throws {ArgumentError} when an option does not fit them
 */
export function latentDataset(
  { latents, labels: given, name: arrayName }: LatentArrays,
  name: string,
  options: LatentOptions = {},
  source = name,
): Dataset {
  const { layout = 'nhwc', seed = 0, heldOut = 0.2, scale = 'meanflow', stream = 'latent' } = options;
  if (latents.shape.length !== 4 || latents.dtype === 'bool' || latents.shape[0]! < 3 || latents.size === 0) {
    throw new DataError(
      `${source}: found latents ${formatShape(latents.shape)}, expected [count, channels, height, width] or ` +
        '[count, height, width, channels] of at least 3.',
    );
  }
  checkHeldOut(heldOut, name);
  if (!latents.data.every((value: number) => Number.isFinite(value))) {
    throw new DataError(`${source}: the latents hold values that are not finite.`);
  }
  const found = findLatentForm(latents, arrayName, options, source);
  const { from, form } = found;
  const [count] = leading(latents.shape, 1);
  const [height, width, storedChannels] = pictureShapeOf(latents.shape, from);
  if (form !== 'values' && storedChannels % 2 !== 0) {
    throw new ArgumentError(
      `${source}: moments are two channels for each of the latent's, found ${storedChannels} channels.`,
    );
  }
  const channels = form === 'values' ? storedChannels : storedChannels / 2;
  const imageShape: ImageShape = [height, width, channels];
  const classes = given && arrayLabels(given, count, options, source);
  const { labels, classNames } = classes ?? {};
  const channelScale = scaleOf(scale, channels, name);
  const rows = splitRows(count, labels, heldOut, seed);
  const epochs = new EpochOrder(rows.train);
  const moments = { latents, stored: stridesOf([height, width, storedChannels], from), form, imageShape };
  const take = (chosen: Int32Array, key: RandomKey): Batch => ({
    x: drawLatents(moments, channelScale, chosen, key, layout),
    label:
      labels &&
      new HostArray(
        'int32',
        [chosen.length],
        chosen.map((row) => labels[row]!),
      ),
  });
  const dataset: Dataset = {
    name,
    featureShape: featureShapeOf(imageShape, layout),
    // What a network makes of these is no picture before a decoder has seen it.
    imageShape: undefined,
    columns: [],
    classCount: classNames?.length,
    classNames,
    classCounts: labels && classNames && countClasses(labels, classNames.length),
    sizes: { train: rows.train.length, test: rows.test.length },
    normalisation: normalisationOf(channelScale, imageShape, layout),
    support: undefined,
    batch: (key, step, size) => {
      checkBatch(name, step, size);
      return take(epochs.batch(key, step, size), key.fold(stream).fold(step));
    },
    reference: (split: Split, key, wanted) => {
      checkCount(`A reference sample of "${name}"`, wanted);
      const order = key.fold('reference').fold(split);
      const all = rows[split];
      checkNotEmpty(all, name);
      const chosen =
        wanted >= all.length
          ? all
          : order
              .permutation(all.length)
              .subarray(0, wanted)
              .map((i) => all[i]!);
      return take(chosen, order.fold(stream));
    },
    reading: {
      readAs: 'latents',
      from,
      form,
      labelMeaning: options.labelMeaning ?? (options.classCount === undefined ? 'distinct' : 'numbers'),
    },
  };
  const notes = [
    ...found.notes,
    ...(options.scale === undefined ? [`multiplied by ${STABLE_DIFFUSION_SCALE} (--latent-scale)`] : []),
    ...(classes?.notes ?? []),
  ];
  const { deviation } = seenValues(dataset);
  const isUsual = deviation >= USUAL_DEVIATION[0] && deviation <= USUAL_DEVIATION[1];
  return { ...dataset, notes: isUsual ? notes : [...notes, unusualText(deviation, scale)] };
}

function unusualText(deviation: number, scale: LatentScale): string {
  return (
    `WARNING: a deviation of ${deviation.toPrecision(3)} is not the one of about 1 that networks are made for: ` +
    (scale === 'none'
      ? 'latents as an autoencoder makes them take a scale (--latent-scale meanflow or improved-meanflow)'
      : 'latents that are scaled already take none (--latent-scale none)')
  );
}

interface ChannelScale {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

interface Moments {
  readonly latents: HostArray;
  readonly stored: { readonly pixel: number; readonly channel: number };
  readonly form: LatentForm;
  readonly imageShape: ImageShape;
}

/** (mean + deviation·ε − channel's mean) / channel's deviation, float32. */
function drawLatents(
  { latents, stored, form, imageShape }: Moments,
  scale: ChannelScale,
  rows: Int32Array,
  key: RandomKey,
  layout: ImageLayout,
): HostArray<'float32'> {
  const [height, width, channels] = imageShape;
  const strides = stridesOf(imageShape, layout);
  const size = sizeOf(imageShape);
  const storedSize = latents.size / latents.shape[0]!;
  const shape = [rows.length, ...featureShapeOf(imageShape, layout)];
  const noise = form === 'values' ? undefined : key.normal(shape).data;
  const x = new Float32Array(rows.length * size);
  const deviation = (stored: number): number =>
    form === 'deviation'
      ? stored
      : Math.exp(Math.max(LEAST_LOG_VARIANCE, Math.min(MOST_LOG_VARIANCE, stored)) / 2);
  for (let i = 0; i < rows.length; i++) {
    for (let pixel = 0; pixel < height * width; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        const from = rows[i]! * storedSize + pixel * stored.pixel;
        const to = i * size + pixel * strides.pixel + channel * strides.channel;
        const mean = latents.data[from + channel * stored.channel]!;
        const spread =
          noise && deviation(latents.data[from + (channels + channel) * stored.channel]!) * noise[to]!;
        x[to] = (mean + (spread ?? 0) - scale.mean[channel]!) / scale.deviation[channel]!;
      }
    }
  }
  return new HostArray('float32', shape, x);
}

function scaleOf(scale: LatentScale, channels: number, name: string): ChannelScale {
  const same = (deviation: number): ChannelScale => ({
    mean: new Array<number>(channels).fill(0),
    deviation: new Array<number>(channels).fill(deviation),
  });
  if (scale === 'none') return same(1);
  if (scale === 'meanflow') return same(1 / STABLE_DIFFUSION_SCALE);
  const byChannel = scale === 'improved-meanflow' ? IMPROVED : scale;
  const { mean, deviation } = byChannel;
  const isScale = mean.every(Number.isFinite) && deviation.every((value) => value > 0 && value < Infinity);
  if (mean.length !== channels || deviation.length !== channels || !isScale) {
    throw new ArgumentError(
      `The latents of "${name}" have ${channels} channels, expected a finite mean and a positive deviation for each.`,
    );
  }
  return byChannel;
}

/** By channel where channels are the last axis, else by feature. */
function normalisationOf(
  { mean, deviation }: ChannelScale,
  [height, width, channels]: ImageShape,
  layout: ImageLayout,
): Normalisation {
  const spread = (values: readonly number[]): readonly number[] =>
    layout === 'nhwc' || channels === 1
      ? values
      : values.flatMap((value) => new Array<number>(height * width).fill(value));
  return { kind: 'standard', mean: spread(mean), scale: spread(deviation) };
}
