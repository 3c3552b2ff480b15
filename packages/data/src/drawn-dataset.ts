/**
 * Data that are drawn afresh, as a Dataset: from how samples are drawn with a key. There is no epoch and nothing to hold out; the
 * two splits are independent draws.
 */
import {
  ArgumentError,
  HostArray,
  sameShape,
  type ConditionSpec,
  type RandomKey,
  type Shape,
} from '@meanflow/core';
import { checkFields, formatShape, quoted, type FieldKinds } from '@meanflow/core/validation';
import { checkBatch, checkCount, type Batch, type Dataset } from './dataset.js';
import { noNormalisation, type Normalisation } from './normalisation.js';
import type { Support } from './support.js';

/** What is drawn. */
export type DrawnBatch = Pick<Batch, 'x' | 'conditions' | 'present'> & Partial<Pick<Batch, 'label'>>;

/** A condition of data, as it is written down. */
export interface DrawnCondition extends ConditionSpec {
  /** A name for each of its numbers, where they have names. */
  readonly columns?: readonly string[];
  /** How it relates to the source's units; not at all by default. */
  readonly normalisation?: Normalisation;
}

export interface DrawnDatasetOptions {
  readonly name: string;
  /** Of one sample. */
  readonly featureShape: Shape;
  /**
   * Independent samples: `x` float32 `[count, ...featureShape]`, of about unit variance, `label` int32 `[count]` where there are
   * classes, and `conditions` float32 `[count, ...shape]` by name. The same key draws the same.
   */
  sample(key: RandomKey, count: number): DrawnBatch;
  /** One for each class, which are equally likely; none by default. */
  readonly classNames?: readonly string[];
  /** What every sample is given beside its class, by name. */
  readonly conditions?: Readonly<Record<string, DrawnCondition>>;
  /** A name for each feature. */
  readonly columns?: readonly string[];
  /** `[height, width, channels]` where samples are images. */
  readonly imageShape?: Shape;
  /** How samples relate to the source's units; not at all by default. */
  readonly normalisation?: Normalisation;
  /** Where the data can lie, where that is known. */
  readonly support?: Support | undefined;
}

const fields: FieldKinds<DrawnDatasetOptions> = {
  name: 'text',
  featureShape: 'list',
  sample: 'function',
  classNames: 'list?',
  conditions: 'object?',
  columns: 'list?',
  imageShape: 'list?',
  normalisation: 'object?',
  support: 'object?',
};

/**
 * The dataset of what `sample` draws.
 *
 * @throws {ArgumentError} when an option is missing or unknown; and later where a draw is not of the shape that is said
 */
export function drawnDataset(options: DrawnDatasetOptions): Dataset {
  checkFields(`The data set ${quoted(options.name)}`, options, fields);
  const { name, featureShape, classNames, conditions, columns = [], imageShape, support } = options;
  const { normalisation = noNormalisation(1) } = options;
  const draw = (key: RandomKey, count: number): Batch => {
    const drawn = options.sample(key, count);
    checkDrawn(options, drawn, count);
    return { ...drawn, label: drawn.label };
  };
  return {
    ...{ name, featureShape, imageShape, columns, classNames, normalisation, support },
    classCount: classNames?.length,
    sizes: undefined,
    ...(conditions && { conditions: completeConditions(conditions) }),
    batch: (key, step, size) => {
      checkBatch(name, step, size);
      return draw(key.fold('batch').fold(step), size);
    },
    reference: (split, key, count) => {
      checkCount(`A reference sample of "${name}"`, count);
      return draw(key.fold('reference').fold(split), count);
    },
  };
}

/** Conditions with their normalisations. */
export function completeConditions(
  conditions: Readonly<Record<string, DrawnCondition>>,
): NonNullable<Dataset['conditions']> {
  return Object.fromEntries(
    Object.entries(conditions).map(([name, condition]) => [
      name,
      { normalisation: noNormalisation(1), ...condition },
    ]),
  );
}

function checkDrawn(
  { name, featureShape, classNames }: DrawnDatasetOptions,
  drawn: DrawnBatch,
  count: number,
): void {
  const check = (what: string, array: unknown, dtype: 'float32' | 'int32', shape: Shape): void => {
    if (array instanceof HostArray && array.dtype === dtype && sameShape(array.shape, shape)) return;
    const found = array instanceof HostArray ? `${array.dtype}${formatShape(array.shape)}` : typeof array;
    throw new ArgumentError(
      `The data set "${name}" draws ${what}: expected a HostArray ${dtype}${formatShape(shape)}, got ${found}.`,
    );
  };
  check('x', drawn.x, 'float32', [count, ...featureShape]);
  if (classNames !== undefined || drawn.label !== undefined) check('label', drawn.label, 'int32', [count]);
}
