/**
 * Images as sequences of patches and back. An image is `[batch, height, width, channels]`; its patches are read row by
 * row, and inside a patch the order is row, column, channel. Where patches do not divide its sides, it is made larger by
 * zeros on the right and below, and cut to its size again.
 */
import {
  ArgumentError,
  pad,
  reshape,
  slice,
  transpose,
  type Shape,
  type Symbolic,
  type Tensor,
} from '@meanflow/core';
import { initialValues, linear, type LinearInitialisation } from './linear.js';
import { ParameterSpec, zeros, type Described, type Parameter } from './parameters.js';

/** How an image is cut. */
export interface PatchGrid {
  readonly rows: number;
  readonly columns: number;
  /** Side of a patch in pixels. */
  readonly size: number;
  readonly channels: number;
  /** Of the image; patches cover at least as much. */
  readonly height: number;
  readonly width: number;
}

/**
 * The grid that covers images of `[height, width, channels]`.
 *
 * @param size side of a patch in pixels
 * @throws {ArgumentError} when the image is not `[height, width, channels]` with sides of a patch and more
 */
export function patchGrid(featureShape: Shape, size: number): PatchGrid {
  const [height = 0, width = 0, channels = 0] = featureShape;
  if (featureShape.length !== 3 || height < size || width < size) {
    throw new ArgumentError(
      `Patches of ${size} × ${size} need images of [height, width, channels] with sides of at least ${size}, got [${featureShape.join(', ')}].`,
    );
  }
  return { rows: Math.ceil(height / size), columns: Math.ceil(width / size), size, channels, height, width };
}

/** Numbers in one patch. */
export function patchWidth({ size, channels }: PatchGrid): number {
  return size * size * channels;
}

/** `[batch, height, width, channels] → [batch, rows · columns, size · size · channels]` */
export function patchify(grid: PatchGrid, images: Tensor): Tensor {
  const { rows, columns, size, channels, height, width } = grid;
  const batch = images.shape[0]!;
  const high = [0, rows * size - height, columns * size - width, 0];
  const covered = isDivided(grid) ? images : pad(images, { high });
  const cut = reshape(covered, [batch, rows, size, columns, size, channels]);
  return reshape(transpose(cut, [0, 1, 3, 2, 4, 5]), [batch, rows * columns, size * size * channels]);
}

/** `[batch, rows · columns, size · size · channels] → [batch, height, width, channels]` */
export function unpatchify(grid: PatchGrid, patches: Tensor): Tensor {
  const { rows, columns, size, channels, height, width } = grid;
  const batch = patches.shape[0]!;
  const cut = reshape(patches, [batch, rows, columns, size, size, channels]);
  const covered = reshape(transpose(cut, [0, 1, 3, 2, 4, 5]), [batch, rows * size, columns * size, channels]);
  return isDivided(grid) ? covered : slice(covered, [0, 0, 0, 0], [batch, height, width, channels]);
}

function isDivided({ rows, columns, size, height, width }: PatchGrid): boolean {
  return rows * size === height && columns * size === width;
}

/** A linear map of patches, which is a convolution whose stride is its window. */
export type PatchEmbeddingParameters = {
  /** `[size, size, channels, width]` */
  readonly kernel: Parameter;
  /** `[width]` */
  readonly bias: Parameter;
};

/** A kernel `[size, size, channels, width]`, started as a linear layer of a patch's numbers, and a bias `[width]` of zeros. */
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
/** A linear map of each patch, `[batch, height, width, channels] → [batch, rows · columns, width]`. */
export function embedPatches(
  { kernel, bias }: Symbolic<PatchEmbeddingParameters>,
  grid: PatchGrid,
  images: Tensor,
): Tensor {
  const flat = { kernel: reshape(kernel, [patchWidth(grid), -1]), bias };
  return linear(flat, patchify(grid, images));
}
