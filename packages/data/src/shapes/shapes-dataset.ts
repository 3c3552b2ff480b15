/**
 * The coloured shapes as a Dataset: images of one shape each in ten classes, drawn afresh from keys. There is no epoch
 * and nothing to memorise: place, size, angle, stretch and the colours of two gradients vary continuously, and no two
 * batches share an image. The two splits are independent draws. Nothing is downloaded or read.
 */
import { ArgumentError } from '@meanflow/core';
import type { Dataset } from '../dataset.js';
import { drawnDataset } from '../drawn-dataset.js';
import { featureShapeOf, type ImageLayout, type ImageShape } from '../images/layout.js';
import { rangeNormalisation } from '../normalisation.js';
import { shapeClasses } from './classes.js';
import { drawShapes } from './draw.js';

/** Below this, classes cannot be told apart. */
const SMALLEST_SIDE = 12;
const LARGEST_SIDE = 512;

export interface ShapesOptions {
  /** Default: `shapes` at 16×16, else with the side, such as `shapes-32`. */
  readonly name?: string;
  /** Height and width in pixels; 16 by default. */
  readonly side?: number;
  /** `nhwc` by default. */
  readonly layout?: ImageLayout;
}

/**
 * The coloured shapes: features `[side, side, 3]` (or `[3, side, side]`) from −1 to 1, ten classes of equal probability.
 *
 * @throws {ArgumentError} when the side is not a whole number from 12 to 512
 */
export function shapesDataset(options: ShapesOptions = {}): Dataset {
  const { side = 16, layout = 'nhwc' } = options;
  if (!Number.isInteger(side) || side < SMALLEST_SIDE || side > LARGEST_SIDE) {
    throw new ArgumentError(
      `Shapes are drawn with a side of ${SMALLEST_SIDE} to ${LARGEST_SIDE} pixels, got ${side}.`,
    );
  }
  const imageShape: ImageShape = [side, side, 3];
  const name = options.name ?? (side === 16 ? 'shapes' : `shapes-${side}`);
  return drawnDataset({
    name,
    featureShape: featureShapeOf(imageShape, layout),
    imageShape,
    classNames: shapeClasses.map((shape) => shape.name),
    normalisation: rangeNormalisation(1, 0, 255),
    sample: (key, count) => {
      const label = key.fold('class').integers([count], 0, shapeClasses.length);
      return { x: drawShapes(key.fold('image'), label, side, layout), label };
    },
  });
}
