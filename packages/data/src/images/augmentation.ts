/**
 * Augmentation of training images: horizontal flips, and crops at random places of the image with a border. What happens
 * to a row follows from the run's key, the step and the row's place in the batch, so that a resumed run sees the same.
 */
import { ArgumentError, type RandomKey } from '@meanflow/core';

export interface AugmentationOptions {
  /** Whether half of the images are mirrored; false by default. */
  readonly flip?: boolean;
  /** Width of a black border around the image, from which a part of the image's size is cut; 0 by default. */
  readonly cropPadding?: number;
}

/** What is done to one image: mirrored or not, and how far what is taken lies to the right and down. */
export interface Augmentation {
  readonly isFlipped: boolean;
  readonly right: number;
  readonly down: number;
}

/** An image as it is. */
export const unchanged: Augmentation = { isFlipped: false, right: 0, down: 0 };

/** What is done to each image of a batch. */
export function augmentations(
  { flip = false, cropPadding = 0 }: AugmentationOptions,
  key: RandomKey,
  step: number,
  size: number,
): readonly Augmentation[] {
  if (!flip && cropPadding === 0) return new Array<Augmentation>(size).fill(unchanged);
  const bits = key
    .fold('augment')
    .fold(step)
    .bits(3 * size);
  const shift = (word: number): number => Math.floor(word * 2 ** -32 * (2 * cropPadding + 1)) - cropPadding;
  return Array.from({ length: size }, (_, i) => ({
    isFlipped: flip && bits[3 * i]! >= 2 ** 31,
    right: shift(bits[3 * i + 1]!),
    down: shift(bits[3 * i + 2]!),
  }));
}

/** @throws {ArgumentError} when the border is not a whole number from 0 on */
export function checkAugmentation({ cropPadding = 0 }: AugmentationOptions): void {
  if (!Number.isSafeInteger(cropPadding) || cropPadding < 0) {
    throw new ArgumentError(
      `The border that crops reach into is a whole number of pixels, got ${cropPadding}.`,
    );
  }
}
