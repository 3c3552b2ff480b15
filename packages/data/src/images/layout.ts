/**
 * How the pixels of an image lie in a row of features: channels last (NHWC, as transformers and the JAX codes take
 * images) or channels first (NCHW, as the U-Net does). What makes images writes them through strides, so that neither
 * layout costs a copy.
 */
import { ArgumentError, type Shape } from '@meanflow/core';
import { formatShape } from '@meanflow/core/validation';

/** `nhwc`: `[height, width, channels]`; `nchw`: `[channels, height, width]`. */
export type ImageLayout = 'nhwc' | 'nchw';

/** The height, width and channels of images, all positive. */
export type ImageShape = readonly [height: number, width: number, channels: number];

/** How far apart neighbours lie in memory. */
export interface ImageStrides {
  /** From a pixel to the one on its right; rows follow one another. */
  readonly pixel: number;
  /** From one channel of a pixel to the next. */
  readonly channel: number;
}

/** The shape of one image's features. */
export function featureShapeOf([height, width, channels]: ImageShape, layout: ImageLayout): Shape {
  return layout === 'nhwc' ? [height, width, channels] : [channels, height, width];
}

/** The strides of an image in a layout. */
export function stridesOf([height, width, channels]: ImageShape, layout: ImageLayout): ImageStrides {
  return layout === 'nhwc' ? { pixel: channels, channel: 1 } : { pixel: 1, channel: height * width };
}

/** The layout under which images of this shape have these features. @throws {ArgumentError} when none does */
export function layoutOf(featureShape: Shape, imageShape: ImageShape): ImageLayout {
  const matches = (['nhwc', 'nchw'] as const).find(
    (layout) => featureShapeOf(imageShape, layout).join() === featureShape.join(),
  );
  // Digits are a row of features; with one channel both layouts read the same.
  const isFlat =
    featureShape.length === 1 && featureShape[0] === imageShape[0] * imageShape[1] * imageShape[2];
  if (matches === undefined && !isFlat) {
    throw new ArgumentError(
      `Features ${formatShape(featureShape)} are no image of ${formatShape(imageShape)} in either layout.`,
    );
  }
  return matches ?? 'nhwc';
}
