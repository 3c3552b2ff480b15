/**
 * Grids of small images as PNG, enlarged by whole numbers with hard pixel edges, so that an 8×8 digit looks like what it is.
 * Images come as the network made them, in [−1, 1], in either layout. Flattened ones are the digits, where 1 is ink: they are
 * dark on white, and the report inverts them for dark themes.
 */
import { HostArray, type Shape } from '@meanflow/core';
import { imageGrid, type ImageShape } from '@meanflow/data';

export interface ImageGridOptions {
  /** `[height, width, channels]` with 1 or 3 channels. */
  readonly imageShape: Shape;
  /** Images in a row of the grid. */
  readonly across: number;
  /** Side of one pixel of an image, in pixels of the picture. 4 by default. */
  readonly scale?: number;
}

/**
 * A PNG of images row by row.
 *
 * @param images `[count, features]`, `[count, height, width, channels]` or `[count, channels, height, width]`, in [−1, 1];
 *   values beyond are cut
 * @throws {ArgumentError} when the images are not of that shape
 */
export function imageGridPng(
  images: HostArray,
  { imageShape, across, scale = 4 }: ImageGridOptions,
): Uint8Array {
  const shape = imageShape as ImageShape;
  return imageGrid(isInk(images, imageShape) ? negative(images) : images, {
    imageShape: shape,
    across,
    scale,
  });
}

/** Whether 1 stands for ink on paper, and not for light. */
export function isInk({ shape }: Pick<HostArray, 'shape'>, imageShape: Shape): boolean {
  return shape.length === 2 && imageShape[2] === 1;
}

function negative({ shape, data }: HostArray): HostArray {
  return new HostArray(
    'float32',
    shape,
    Float32Array.from(data, (value) => -value),
  );
}
