/**
 * Images as sequences of patches and back. An image is `[batch, height, width, channels]`; its patches are read row by
 * row, and inside a patch the order is row, column, channel.
 */
import { ArgumentError, reshape, transpose, type Shape, type Symbolic, type Tensor } from '@meanflow/core';
import { initialValues, linear, type LinearInitialisation } from './linear.js';
import { ParameterSpec, zeros, type Described, type Parameter } from './parameters.js';

/** How an image is cut. */
export interface PatchGrid {
  readonly rows: number;
  readonly columns: number;
  /** Side of a patch in pixels. */
  readonly size: number;
  readonly channels: number;
}

/** @throws {ArgumentError} when the image is not `[height, width, channels]` with sides that patches divide */
export function patchGrid(featureShape: Shape, size: number): PatchGrid {
  const [height, width, channels] = featureShape;
  if (featureShape.length !== 3 || height % size !== 0 || width % size !== 0) {
    throw new ArgumentError(
      `Patches of ${size} × ${size} need images of [height, width, channels] with sides divisible by ${size}, got [${featureShape.join(', ')}].`,
    );
  }
  return { rows: height / size, columns: width / size, size, channels };
}

/** Numbers in one patch. */
export function patchWidth({ size, channels }: PatchGrid): number {
  return size * size * channels;
}

/** `[batch, height, width, channels] → [batch, rows · columns, size · size · channels]` */
export function patchify({ rows, columns, size, channels }: PatchGrid, images: Tensor): Tensor {
  const batch = images.shape[0];
  const cut = reshape(images, [batch, rows, size, columns, size, channels]);
  return reshape(transpose(cut, [0, 1, 3, 2, 4, 5]), [batch, rows * columns, size * size * channels]);
}

/** `[batch, rows · columns, size · size · channels] → [batch, height, width, channels]` */
export function unpatchify({ rows, columns, size, channels }: PatchGrid, patches: Tensor): Tensor {
  const batch = patches.shape[0];
  const cut = reshape(patches, [batch, rows, columns, size, size, channels]);
  return reshape(transpose(cut, [0, 1, 3, 2, 4, 5]), [batch, rows * size, columns * size, channels]);
}

/** A linear map of patches, which is a convolution whose stride is its window. */
export type PatchEmbeddingParameters = {
  /** `[size, size, channels, width]` */
  readonly kernel: Parameter;
  /** `[width]` */
  readonly bias: Parameter;
};

export function patchEmbeddingParameters(
  grid: PatchGrid,
  width: number,
  initialisation: LinearInitialisation,
): Described<PatchEmbeddingParameters> {
  const { size, channels } = grid;
  const { kernel } = initialValues(initialisation, patchWidth(grid), width);
  return {
    kernel: new ParameterSpec([size, size, channels, width], kernel),
    bias: new ParameterSpec([width], zeros),
  };
}

/** `[batch, height, width, channels] → [batch, rows · columns, width]` */
export function embedPatches(
  { kernel, bias }: Symbolic<PatchEmbeddingParameters>,
  grid: PatchGrid,
  images: Tensor,
): Tensor {
  const flat = { kernel: reshape(kernel, [patchWidth(grid), -1]), bias };
  return linear(flat, patchify(grid, images));
}
