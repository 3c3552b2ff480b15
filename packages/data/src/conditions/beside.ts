/**
 * Images of other data sets that are given beside those of one, row by row: the sketch of a photograph, the latents of a picture
 * before it was changed. The sets are read alike, so that one key takes the same rows of each, mirrors and shifts them alike, and
 * holds the same rows out.
 */
import { ArgumentError, DataError, type HostArray, type Shape } from '@meanflow/core';
import { checkConditionSpecs, formatShape } from '@meanflow/core/validation';
import { type Batch, type DataCondition, type Dataset } from '../dataset.js';
import { type ImageLayout } from '../images/layout.js';
import { GIVEN } from './given-columns.js';
import { KNOWN } from './image-tasks.js';

/** Names that conditions of the tasks have, which samples are put together by. */
const taken: readonly string[] = [GIVEN, KNOWN];

/**
 * The data with the images of others as conditions, by name.
 *
 * @param beside of as many rows, with the same classes, held out and augmented by the same options
 * @param layout of the features of all
 * @throws {DataError} when there are other rows, or images of another height or width
 * @throws {ArgumentError} when a name is none
 */
export function besideImages(
  dataset: Dataset,
  beside: Readonly<Record<string, Dataset>>,
  layout: ImageLayout,
): Dataset {
  const others = Object.entries(beside);
  if (others.length === 0) return dataset;
  for (const [name, other] of others) {
    if (taken.includes(name))
      throw new ArgumentError(`"${name}" is the name of another condition: choose another.`);
    checkAlike(name, dataset, other, layout);
  }
  const specs = Object.fromEntries(
    others.map(([name, { featureShape, normalisation }]): [string, DataCondition] => [
      name,
      { kind: 'image', shape: featureShape, normalisation },
    ]),
  );
  checkConditionSpecs('images beside', specs);
  const complete = (batch: Batch, take: (other: Dataset) => Batch): Batch => ({
    ...batch,
    conditions: { ...batch.conditions, ...Object.fromEntries(others.map(([name, other]) => [name, rowsFor(name, batch, take(other))])) }, // prettier-ignore
  });
  const changes: Partial<Dataset> = {
    conditions: { ...dataset.conditions, ...specs },
    batch: (key, step, size) =>
      complete(dataset.batch(key, step, size), (other) => other.batch(key, step, size)),
    reference: (split, key, count) =>
      complete(dataset.reference(split, key, count), (other) => other.reference(split, key, count)),
  };
  return Object.assign(Object.create(dataset) as Dataset, changes);
}

/** Classes tell rows apart that are not the same ones. */
function rowsFor(name: string, { x, label }: Batch, other: Batch): HostArray<'float32'> {
  const isSame = other.x.shape[0] === x.shape[0] && other.label?.data.join() === label?.data.join();
  if (!isSame) throw new Error(`Internal: the rows of "${name}" are not those of the images.`);
  return other.x;
}

function checkAlike(name: string, dataset: Dataset, other: Dataset, layout: ImageLayout): void {
  const rows = ({ sizes }: Dataset): number => (sizes === undefined ? 0 : sizes.train + sizes.test);
  if (rows(dataset) !== rows(other)) {
    throw new DataError(
      `The condition "${name}" has ${rows(other)} images, expected one for each of the ${rows(dataset)} of "${dataset.name}".`,
    );
  }
  const [own, found] = [dataset, other].map(({ featureShape }) => sidesOf(featureShape, layout));
  if (own!.join() === found!.join()) return;
  throw new DataError(
    `The condition "${name}" has images of ${formatShape(found!)}, height and width, expected ${formatShape(own!)} as "${dataset.name}" has.`,
  );
}

function sidesOf(featureShape: Shape, layout: ImageLayout): Shape {
  return layout === 'nhwc' ? featureShape.slice(0, 2) : featureShape.slice(1);
}
