/**
 * Dropout (Srivastava et al., 2014), with its randomness as an input. Drawing a mask as large as the activations on the
 * host would cost more than the network: the U-Net for CIFAR-10 has 3.3 million activations to drop for every image. A mask
 * is expanded inside the graph instead, from uniform integers for each (row, channel) and each place:
 *
 *     dropped where (a · c + b + d) mod p < rate · p,   a, b for each (row, channel), c, d for each place
 *
 * a family of universal hashes (Carter and Wegman, 1979). All elements that share a place are independent, so are all of
 * one channel, and any three; four at the corners of a rectangle are so up to 2 / p. Everything is exact in float32, so that
 * every backend has the same mask.
 */
import {
  add,
  floor,
  less,
  mul,
  reshape,
  sameShape,
  ShapeError,
  split,
  sub,
  where,
  type RandomKey,
  type Shape,
  type Symbolic,
  type Tensor,
} from '@meanflow/core';
import { formatShape, leading } from '@meanflow/core/validation';
import type { DropoutDraw } from '@meanflow/samplers';

/**
 * A prime. Its square is below 2²⁰, which leaves float32 bits to spare: quotients are told apart even where a device divides
 * inexactly.
 */
const MODULUS = 1021;

/** The numbers behind one mask, for activations of `[rows, channels, height, width]`. */
export function drawDropout(key: RandomKey, shape: Shape): DropoutDraw {
  const [rows, channels, height, width] = leading(shape, 4);
  const integers = (name: string, size: Shape) => key.fold(name).integers(size, 0, MODULUS).to('float32');
  return {
    channels: integers('channels', [2, rows, channels, 1, 1]),
    places: integers('places', [2, height, width]),
  };
}

/**
 * Sets the share `rate` of the activations to 0, rounded to a multiple of 1/1021, and divides the others by the share that is
 * left, so that the mean stays.
 *
 * @param x `[rows, channels, height, width]`
 * @throws {ShapeError} when the draw was made for another shape
 */
export function dropout(x: Tensor, { channels, places }: Symbolic<DropoutDraw>, rate: number): Tensor {
  const threshold = Math.round(rate * MODULUS);
  const [a, b] = leading(halves(channels), 2);
  const [c, d] = leading(halves(places), 2);
  const hash = add(add(mul(a, c), b), d);
  // Half a unit keeps the quotients of multiples of p away from whole numbers.
  const quotient = floor(mul(add(hash, 0.5), 1 / MODULUS));
  const residue = sub(hash, mul(quotient, MODULUS));
  if (!sameShape(residue.shape, x.shape)) {
    throw new ShapeError(
      `Dropout was drawn for ${formatShape(residue.shape)}, the activations are ${formatShape(x.shape)}.`,
    );
  }
  return where(less(residue, threshold), 0, mul(x, MODULUS / (MODULUS - threshold)));
}

/** `[2, ...rest]` as two of `[...rest]`. */
function halves(x: Tensor): Tensor[] {
  return split(x, [1, 1], 0).map((half) => reshape(half, x.shape.slice(1)));
}
