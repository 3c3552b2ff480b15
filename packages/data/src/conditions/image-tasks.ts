/**
 * Tasks that are made of images alone: inpainting, where an image is completed from its known pixels, and super-resolution,
 * where it is drawn from a small version of itself. The condition follows from the row and a key, so that every epoch hides
 * other pixels of an image, and held-out images are judged on the same ones each time.
 */
import { ArgumentError, HostArray, type RandomKey, type Shape } from '@meanflow/core';
import { checkChoice } from '@meanflow/core/validation';
import { type Batch, type DataCondition, type Dataset } from '../dataset.js';
import { featureShapeOf, layoutOf, stridesOf, type ImageLayout, type ImageShape } from '../images/layout.js';
import { noNormalisation } from '../normalisation.js';
import { drawMasks, maskKinds, type MaskKind } from './masks.js';

/** Names of the conditions: known pixels with 0 elsewhere, where they are known, and the image at a low resolution. */
export const [KNOWN, MASK] = ['known', 'mask'] as const;
const LOW = 'low';

/**
 * Images to complete: the conditions are `known`, the image with 0 (mid-grey) where it is hidden, and `mask`, of one channel,
 * which is 1 where it is known and 0 where not.
 *
 * @throws {ArgumentError} when the data are no images
 */
export function inpainting(dataset: Dataset, kind: MaskKind = 'rectangle'): Dataset {
  checkChoice('mask', kind, maskKinds);
  const { imageShape, layout } = imagesOf(dataset, 'Inpainting');
  const [height, width] = imageShape;
  const given = (x: HostArray<'float32'>, key: RandomKey): Batch['conditions'] => {
    const rows = x.shape[0]!;
    const shape = [rows, ...featureShapeOf([height, width, 1], layout)];
    const mask = new HostArray('float32', shape, drawMasks(key.fold(MASK), rows, height, width, kind));
    const known = byPixel(imageShape, layout, mask, (at, isKnown) => (isKnown ? x.data[at]! : 0));
    return {
      [KNOWN]: new HostArray('float32', [rows, ...featureShapeOf(imageShape, layout)], known),
      [MASK]: mask,
    };
  };
  return withConditions(dataset, given, {
    [KNOWN]: imageCondition(dataset, imageShape, layout),
    [MASK]: {
      kind: 'mask',
      shape: featureShapeOf([height, width, 1], layout),
      normalisation: noNormalisation(1),
    },
  });
}

/**
 * Images to draw from small ones: the condition `low` is the mean of every square of `factor` pixels a side, at the place and the
 * size of that square.
 *
 * @throws {ArgumentError} when the data are no images, or `factor` does not divide their sides
 */
export function superResolution(dataset: Dataset, factor = 2): Dataset {
  const { imageShape, layout } = imagesOf(dataset, 'Super-resolution');
  const [height, width] = imageShape;
  if (!Number.isSafeInteger(factor) || factor < 2 || height % factor !== 0 || width % factor !== 0) {
    throw new ArgumentError(
      `The factor of super-resolution is a whole number from 2 that divides the sides of images, here ${height} and ${width}, got ${factor}.`,
    );
  }
  const given = (x: HostArray<'float32'>): Batch['conditions'] => ({
    [LOW]: new HostArray('float32', [x.shape[0]!, ...featureShapeOf(imageShape, layout)], coarse(x.data, imageShape, layout, factor)), // prettier-ignore
  });
  return withConditions(dataset, given, { [LOW]: imageCondition(dataset, imageShape, layout) });
}

/**
 * Samples with the known pixels in their places: what an inpainted image is.
 *
 * @param samples float32 `[rows, ...features]`
 * @param conditions those of `inpainting`, of the same rows; without them samples are returned as they are
 */
export function restoreKnown(
  samples: HostArray<'float32'>,
  conditions: Batch['conditions'],
  imageShape: Shape | undefined,
): HostArray<'float32'> {
  const [known, mask] = [conditions?.[KNOWN], conditions?.[MASK]];
  if (known === undefined || mask === undefined || imageShape?.length !== 3) return samples;
  const shape = imageShape as ImageShape;
  const layout = layoutOf(known.shape.slice(1), shape);
  const data = byPixel(shape, layout, mask, (at, isKnown) => (isKnown ? known : samples).data[at]!);
  return new HostArray('float32', samples.shape, data);
}

function imagesOf(
  { name, imageShape, featureShape }: Dataset,
  what: string,
): { readonly imageShape: ImageShape; readonly layout: ImageLayout } {
  if (imageShape?.length !== 3) throw new ArgumentError(`${what} is of images, and "${name}" has none.`);
  const shape = imageShape as ImageShape;
  return { imageShape: shape, layout: layoutOf(featureShape, shape) };
}

function imageCondition(
  { normalisation }: Dataset,
  imageShape: ImageShape,
  layout: ImageLayout,
): DataCondition {
  return { kind: 'image', shape: featureShapeOf(imageShape, layout), normalisation };
}

function withConditions(
  dataset: Dataset,
  given: (x: HostArray<'float32'>, key: RandomKey) => Batch['conditions'],
  specs: Readonly<Record<string, DataCondition>>,
): Dataset {
  const complete = (batch: Batch, key: RandomKey): Batch => ({
    ...batch,
    conditions: { ...batch.conditions, ...given(batch.x, key.fold('conditions')) },
  });
  const changes: Partial<Dataset> = {
    conditions: { ...dataset.conditions, ...specs },
    batch: (key, step, size) => complete(dataset.batch(key, step, size), key.fold(step)),
    reference: (split, key, count) => complete(dataset.reference(split, key, count), key.fold(split)),
  };
  return Object.assign(Object.create(dataset) as Dataset, changes);
}

/** A value for each number of many images, told whether its pixel is known. */
function byPixel(
  [height, width, channels]: ImageShape,
  layout: ImageLayout,
  mask: HostArray<'float32'>,
  valueOf: (at: number, isKnown: boolean) => number,
): Float32Array {
  const pixels = height * width;
  const strides = stridesOf([height, width, channels], layout);
  const values = new Float32Array(mask.size * channels);
  for (let i = 0; i < mask.size; i++) {
    const first = Math.floor(i / pixels) * pixels * channels + (i % pixels) * strides.pixel;
    for (let channel = 0; channel < channels; channel++) {
      const at = first + channel * strides.channel;
      values[at] = valueOf(at, mask.data[i] === 1);
    }
  }
  return values;
}

/** Every number replaced by the mean over its square of `factor` pixels a side. */
function coarse(
  images: Float32Array,
  imageShape: ImageShape,
  layout: ImageLayout,
  factor: number,
): Float32Array {
  const [height, width, channels] = imageShape;
  const strides = stridesOf(imageShape, layout);
  const size = height * width * channels;
  const values = new Float32Array(images.length);
  for (let image = 0; image < images.length; image += size) {
    for (let channel = 0; channel < channels; channel++) {
      const at = (y: number, x: number) =>
        image + (y * width + x) * strides.pixel + channel * strides.channel;
      for (let top = 0; top < height; top += factor) {
        for (let left = 0; left < width; left += factor) {
          let sum = 0;
          for (let i = 0; i < factor * factor; i++) {
            sum += images[at(top + Math.floor(i / factor), left + (i % factor))]!;
          }
          for (let i = 0; i < factor * factor; i++) {
            values[at(top + Math.floor(i / factor), left + (i % factor))] = sum / factor ** 2;
          }
        }
      }
    }
  }
  return values;
}
