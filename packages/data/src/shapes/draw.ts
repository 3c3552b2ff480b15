/**
 * Drawing the coloured shapes: from twenty uniform numbers an image with one shape of its class at a place, in a size,
 * at an angle and slightly stretched, in one colour gradient on another. Edges cover pixels by the signed distance at
 * the pixel's centre. As the classes do, this uses exactly rounded arithmetic only.
 */
import { HostArray, type RandomKey } from '@meanflow/core';
import { featureShapeOf, stridesOf, type ImageLayout, type ImageShape } from '../images/layout.js';
import { FARTHEST, shapeClasses } from './classes.js';

/** Uniform numbers that an image is made from. */
const DRAWS = 20;

/** Radius of a shape, as a share of the image's side. */
const [SMALLEST, LARGEST] = [0.27, 0.42];
/** A shape's longer over its shorter side, at most. */
const STRETCH = 1.25;
/** A shape's colour differs from the background's by at least this in every channel; colours are from 0 to 1. */
const CONTRAST = 0.25;
/** How far a gradient leads away from the colour at its middle, in a channel, at the middle of an edge. */
const GRADIENT = 0.12;

/**
 * Images of shapes.
 *
 * @param key the same key draws the same images
 * @param labels int32 `[count]`: the class of each
 * @param side height and width in pixels
 * @returns float32 `[count, side, side, 3]` or `[count, 3, side, side]`, from −1 to 1
 */
export function drawShapes(
  key: RandomKey,
  labels: HostArray<'int32'>,
  side: number,
  layout: ImageLayout = 'nhwc',
): HostArray<'float32'> {
  const shape: ImageShape = [side, side, 3];
  const strides = stridesOf(shape, layout);
  const count = labels.size;
  const size = side * side * 3;
  const uniform = key.uniform([count, DRAWS]).data;
  const images = new Float32Array(count * size);
  const coverage = new Float64Array(side * side);
  for (let image = 0; image < count; image++) {
    const draws = uniform.subarray(image * DRAWS, (image + 1) * DRAWS);
    cover(draws, shapeClasses[labels.data[image]!]!.distance, side, coverage);
    const pixels = images.subarray(image * size, (image + 1) * size);
    for (let channel = 0; channel < 3; channel++) {
      paint(draws, channel, side, coverage, pixels, channel * strides.channel, strides.pixel);
    }
  }
  return new HostArray('float32', [count, ...featureShapeOf(shape, layout)], images);
}

/** The share of each pixel that the shape covers. */
function cover(
  draws: Float32Array,
  distance: (x: number, y: number) => number,
  side: number,
  coverage: Float64Array,
): void {
  const radius = side * (SMALLEST + (LARGEST - SMALLEST) * draws[0]!);
  // The whole shape is within the image.
  const margin = FARTHEST * radius;
  const left = margin + (side - 2 * margin) * draws[1]!;
  const top = margin + (side - 2 * margin) * draws[2]!;
  const [cosine, sine] = directionOf(draws[3]!);
  const stretch = 1 + (STRETCH - 1) * draws[4]!;
  const distances = radius / stretch;
  for (let row = 0; row < side; row++) {
    const y = (row + 0.5 - top) / radius;
    for (let column = 0; column < side; column++) {
      const x = (column + 0.5 - left) / radius;
      const inside = 0.5 - distances * distance(cosine * x + sine * y, stretch * (cosine * y - sine * x));
      coverage[row * side + column] = inside < 0 ? 0 : inside > 1 ? 1 : inside;
    }
  }
}

/** Writes one channel: the background's gradient, and the shape's over it. */
function paint(
  draws: Float32Array,
  channel: number,
  side: number,
  coverage: Float64Array,
  into: Float32Array,
  start: number,
  stride: number,
): void {
  const under = draws[5 + channel]!;
  const around = under + CONTRAST + (1 - 2 * CONTRAST) * draws[8 + channel]!;
  const over = around < 1 ? around : around - 1;
  const [underX, underY] = gradientOf(draws[11]!, draws[12 + channel]!, side);
  const [overX, overY] = gradientOf(draws[15]!, draws[16 + channel]!, side);
  const middle = (side - 1) / 2;
  for (let row = 0, at = start, pixel = 0; row < side; row++) {
    const y = row - middle;
    for (let column = 0; column < side; column++, pixel++, at += stride) {
      const x = column - middle;
      const background = clip(under + underX * x + underY * y);
      const foreground = clip(over + overX * x + overY * y);
      into[at] = 2 * (background + (foreground - background) * coverage[pixel]!) - 1;
    }
  }
}

/** A channel's change from one pixel to the next, to the right and down. */
function gradientOf(turn: number, amount: number, side: number): readonly [number, number] {
  const [cosine, sine] = directionOf(turn);
  const slope = (GRADIENT * (2 * amount - 1)) / (side / 2);
  return [slope * cosine, slope * sine];
}

function clip(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}

/**
 * The unit vector at a share of a whole turn, by Taylor polynomials within an eighth of a turn of the diagonals: the
 * platform's sine may differ in its last bit from another's.
 */
function directionOf(turn: number): readonly [cosine: number, sine: number] {
  const quarter = Math.floor(4 * turn);
  const angle = (4 * turn - quarter - 0.5) * (Math.PI / 2);
  const square = angle * angle;
  const sine =
    angle *
    (1 - (square / 6) * (1 - (square / 20) * (1 - (square / 42) * (1 - (square / 72) * (1 - square / 110)))));
  const cosine =
    1 - (square / 2) * (1 - (square / 12) * (1 - (square / 30) * (1 - (square / 56) * (1 - square / 90))));
  return quarter === 0
    ? [cosine, sine]
    : quarter === 1
      ? [-sine, cosine]
      : quarter === 2
        ? [-cosine, -sine]
        : [sine, -cosine];
}
