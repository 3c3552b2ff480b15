/**
 * Images as a Dataset: shuffled anew in every epoch, augmented where that is asked for, and turned from 8 bits into
 * float32 from −1 to 1. All of it follows from keys, so that training goes on after any step as if it had not stopped.
 */
import { DataError, HostArray, type RandomKey } from '@meanflow/core';
import { countClasses } from '../class-labels.js';
import { checkBatch, checkCount, type Batch, type Dataset, type Split } from '../dataset.js';
import { rangeNormalisation } from '../normalisation.js';
import { checkHeldOut, checkNotEmpty, EpochOrder, splitRows, type SplitOptions } from '../split.js';
import {
  augmentations,
  checkAugmentation,
  unchanged,
  type Augmentation,
  type AugmentationOptions,
} from './augmentation.js';
import { type ImageRows } from './image-rows.js';
import { featureShapeOf, stridesOf, type ImageLayout, type ImageShape } from './layout.js';

/** What all image datasets can be told. Rows are held out where the source has no test images of its own. */
export interface ImageOptions extends SplitOptions, AugmentationOptions {
  /** `nhwc` by default. */
  readonly layout?: ImageLayout;
}

export interface ImageDatasetOptions extends ImageOptions {
  readonly name: string;
  /** What was taken for granted in reading the images: `Dataset.notes`. */
  readonly notes?: readonly string[];
  /** Files that were left out: `Dataset.damaged`. */
  readonly damaged?: readonly string[];
}

/**
 * The dataset of images.
 *
 * @param train images to learn from; where there are no test images, some of these are held out
 * @param test images to judge by, of the same size and classes
 * @throws {DataError} when there are fewer images than two to learn from and one to judge by, or the two sets differ
 * @throws {ArgumentError} when an option is out of range
 */
export function imageDataset(
  train: ImageRows,
  test: ImageRows | undefined,
  options: ImageDatasetOptions,
): Dataset {
  const { name, seed = 0, heldOut = 0.2, layout = 'nhwc' } = options;
  const { imageShape, classNames } = train;
  checkAugmentation(options);
  checkHeldOut(heldOut, name);
  checkSets(train, test, name, heldOut);
  const rows = test === undefined ? splitRows(train.count, train.labels, heldOut, seed) : undefined;
  const splits: Record<Split, { readonly images: ImageRows; readonly rows: Int32Array }> = {
    train: { images: train, rows: rows?.train ?? allRows(train) },
    test: { images: test ?? train, rows: rows?.test ?? allRows(test ?? train) },
  };
  const epochs = new EpochOrder(splits.train.rows);
  return {
    name,
    featureShape: featureShapeOf(imageShape, layout),
    imageShape,
    columns: [],
    classCount: classNames?.length,
    classNames,
    classCounts:
      classNames &&
      countClasses(
        [train, test].flatMap((each) => [...(each?.labels ?? [])]),
        classNames.length,
      ),
    sizes: { train: splits.train.rows.length, test: splits.test.rows.length },
    normalisation: rangeNormalisation(1, 0, 255),
    support: undefined,
    notes: options.notes ?? [],
    damaged: options.damaged ?? [],
    batch: (key, step, size) => {
      checkBatch(name, step, size);
      const chosen = epochs.batch(key, step, size);
      const batch = takeImages(train, chosen, augmentations(options, key, step, size), layout);
      train.readAhead?.(epochs.batch(key, step + 1, size));
      return batch;
    },
    reference: (split, key: RandomKey, count) => {
      checkCount(`A reference sample of "${name}"`, count);
      const { images, rows: all } = splits[split];
      checkNotEmpty(all, name);
      const order = key.fold('reference').fold(split);
      const chosen =
        count >= all.length
          ? all
          : order
              .permutation(all.length)
              .subarray(0, count)
              .map((i) => all[i]!);
      return takeImages(images, chosen, undefined, layout);
    },
  };
}

function takeImages(
  images: ImageRows,
  rows: Int32Array,
  changes: readonly Augmentation[] | undefined,
  layout: ImageLayout,
): Batch {
  const { imageShape, labels } = images;
  const size = imageShape[0] * imageShape[1] * imageShape[2];
  const x = new Float32Array(rows.length * size);
  rows.forEach((row, i) => {
    writeImage(
      images.read(row),
      imageShape,
      layout,
      changes?.[i] ?? unchanged,
      x.subarray(i * size, (i + 1) * size),
    );
  });
  return {
    x: new HostArray('float32', [rows.length, ...featureShapeOf(imageShape, layout)], x),
    label:
      labels &&
      new HostArray(
        'int32',
        [rows.length],
        rows.map((row) => labels[row]!),
      ),
  };
}

/** 0 … 255 to −1 … 1; what lies beyond the image is black. */
function writeImage(
  pixels: Uint8Array,
  imageShape: ImageShape,
  layout: ImageLayout,
  { isFlipped, right, down }: Augmentation,
  into: Float32Array,
): void {
  const [height, width, channels] = imageShape;
  const strides = stridesOf(imageShape, layout);
  for (let y = 0, pixel = 0; y < height; y++) {
    const fromY = y + down;
    for (let x = 0; x < width; x++, pixel++) {
      const fromX = (isFlipped ? width - 1 - x : x) + right;
      const isInside = fromY >= 0 && fromY < height && fromX >= 0 && fromX < width;
      const from = (fromY * width + fromX) * channels;
      for (let channel = 0; channel < channels; channel++) {
        const value = isInside ? pixels[from + channel]! : 0;
        into[pixel * strides.pixel + channel * strides.channel] = value / 127.5 - 1;
      }
    }
  }
}

function allRows({ count }: ImageRows): Int32Array {
  return Int32Array.from({ length: count }, (_, row) => row);
}

function checkSets(train: ImageRows, test: ImageRows | undefined, name: string, heldOut: number): void {
  const [toLearn, toJudge] = test === undefined ? [heldOut > 0 ? 3 : 2, 0] : [2, 1];
  if (train.count < toLearn || (test?.count ?? 0) < toJudge) {
    throw new DataError(
      `"${name}" holds ${train.count + (test?.count ?? 0)} images, expected at least two to learn from and one to judge by.`,
    );
  }
  if (test === undefined) return;
  const [sizes, classes] = [
    [train, test].map(({ imageShape }) => imageShape.join(' by ')),
    [train, test].map(({ classNames }) => classNames?.join(', ') ?? 'none'),
  ];
  if (sizes[0] !== sizes[1]) {
    throw new DataError(`"${name}" has training images of ${sizes[0]} and test images of ${sizes[1]}.`);
  }
  if (classes[0] !== classes[1]) {
    throw new DataError(
      `"${name}" has the classes ${classes[0]} in training and ${classes[1]} in test images.`,
    );
  }
}
