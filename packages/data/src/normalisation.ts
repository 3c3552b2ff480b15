/**
 * Normalisation: the affine map, column by column, between the units of a source and what a network sees,
 * normalised = (value − mean) / scale. It is plain JSON so that a checkpoint can carry it, and samples are brought
 * back to the source's units with the one that their network was trained under.
 */
import { ArgumentError, DataError, HostArray, ShapeError, sizeOf } from '@meanflow/core';
import { formatShape } from '@meanflow/core/validation';

/** Why the columns are mapped as they are. `none` is the identity. */
export type NormalisationKind = 'none' | 'standard' | 'range';

/**
 * normalised = (value − mean) / scale. There is a column for each feature; or one for each entry of the features' last
 * axis (the channels of an NHWC image), or one in all, which then serves all features alike.
 */
export interface Normalisation {
  /** `standard`: zero mean and unit variance; `range`: a known range onto [−1, 1], `mean` being its middle. */
  readonly kind: NormalisationKind;
  readonly mean: readonly number[];
  /** Positive and finite. */
  readonly scale: readonly number[];
}

const kinds: readonly string[] = ['none', 'standard', 'range'] satisfies NormalisationKind[];

/** The identity on `columns` columns. */
export function noNormalisation(columns: number): Normalisation {
  return {
    kind: 'none',
    mean: new Array<number>(columns).fill(0),
    scale: new Array<number>(columns).fill(1),
  };
}

/** Maps values known to lie in [low, high] onto [−1, 1], the same for each of `columns` columns. */
export function rangeNormalisation(columns: number, low: number, high: number): Normalisation {
  if (!(Number.isFinite(low) && Number.isFinite(high) && low < high)) {
    throw new ArgumentError(`A range runs from a lower to a higher finite number, got [${low}, ${high}].`);
  }
  return {
    kind: 'range',
    mean: new Array<number>(columns).fill((low + high) / 2),
    scale: new Array<number>(columns).fill((high - low) / 2),
  };
}

/** The rows to fit a normalisation to, and how to speak of them. */
export interface FittedRows {
  /** float64 `[*, columns.length]`, row-major, in the source's units. */
  readonly values: Float64Array;
  /** Which rows to look at. */
  readonly rows: ArrayLike<number>;
  readonly columns: readonly string[];
  /** The source's name, for messages. */
  readonly file: string;
}

/**
 * Zero mean and unit variance (the population's, dividing by n) over the given rows.
 *
 * @throws {DataError} when a column holds one value only: it has no scale, and nothing to learn
 */
export function fitStandard({ values, rows, columns, file }: FittedRows): Normalisation {
  const mean = new Array<number>(columns.length).fill(0);
  const scale = new Array<number>(columns.length).fill(0);
  for (let column = 0; column < columns.length; column++) {
    const at = (i: number): number => values[rows[i]! * columns.length + column]!;
    let constant = true;
    for (let i = 0; i < rows.length; i++) {
      mean[column]! += at(i) / rows.length;
      constant &&= at(i) === at(0);
    }
    if (constant) {
      throw new DataError(
        `${file}: column ${column + 1} ("${columns[column]}") is ${at(0)} in all ${rows.length} training rows, ` +
          'expected values that vary: take the column out of the file.',
      );
    }
    for (let i = 0; i < rows.length; i++) scale[column]! += (at(i) - mean[column]!) ** 2 / rows.length;
    scale[column] = Math.sqrt(scale[column]!);
    // Where the values are large beside their spread, such as times in nanoseconds, the sum's rounding is not small beside it.
    let error = 0;
    for (let i = 0; i < rows.length; i++) error += (at(i) - mean[column]!) / rows.length;
    if (Math.abs(error) > 1e-9 * scale[column]!) {
      mean[column]! += error;
      scale[column] = Math.sqrt(Math.max(0, scale[column]! ** 2 - error ** 2));
    }
    if (!(scale[column]! > 0 && scale[column]! < Infinity)) {
      throw new DataError(
        `${file}: column ${column + 1} ("${columns[column]}") has standard deviation ${scale[column]} in float64, ` +
          'expected a positive finite one: bring the column to a moderate unit.',
      );
    }
  }
  return { kind: 'standard', mean, scale };
}

/**
 * From the source's units to what a network sees.
 *
 * @param values `[rows, ...features]`, any float dtype
 * @returns float32 of the same shape
 * @throws {ShapeError} when the normalisation's columns are neither as many as the features, nor as the last axis, nor 1
 */
export function normalise(normalisation: Normalisation, values: HostArray): HostArray<'float32'> {
  const mapped = mapColumns(
    normalisation,
    values,
    (value, mean, scale) => (value - mean) / scale,
    Float32Array,
  );
  return new HostArray('float32', values.shape, mapped);
}

/**
 * From what a network sees, or makes, to the source's units: the inverse of `normalise`.
 *
 * @param samples `[rows, ...features]`, any float dtype
 * @returns float64 of the same shape: float32 would be too coarse for a column such as a time in seconds
 * @throws {ShapeError} when the normalisation's columns are neither as many as the features, nor as the last axis, nor 1
 */
export function denormalise(normalisation: Normalisation, samples: HostArray): HostArray<'float64'> {
  const mapped = mapColumns(
    normalisation,
    samples,
    (value, mean, scale) => value * scale + mean,
    Float64Array,
  );
  return new HostArray('float64', samples.shape, mapped);
}

/**
 * A normalisation out of parsed JSON, checked: what a checkpoint holds may be damaged.
 *
 * @param source what the JSON was read from, for messages
 * @throws {DataError} when it is not a normalisation
 */
export function normalisationFromJson(json: unknown, source: string): Normalisation {
  const { kind, mean, scale } = (json ?? {}) as Partial<Record<keyof Normalisation, unknown>>;
  if (typeof kind !== 'string' || !kinds.includes(kind)) {
    throw new DataError(
      `${source}: normalisation "kind" is ${JSON.stringify(kind)}, expected ${kinds.join(', ')}.`,
    );
  }
  if (!isNumbers(mean) || !isNumbers(scale) || mean.length !== scale.length || !scale.every((s) => s > 0)) {
    throw new DataError(
      `${source}: a normalisation needs "mean" and "scale", lists of as many finite numbers, each scale positive.`,
    );
  }
  return { kind: kind as NormalisationKind, mean: [...mean], scale: [...scale] };
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number' && Number.isFinite(item));
}

function mapColumns<A extends Float32Array | Float64Array>(
  { mean, scale }: Normalisation,
  array: HostArray,
  map: (value: number, mean: number, scale: number) => number,
  Result: new (length: number) => A,
): A {
  const { length: columns } = mean;
  const width = sizeOf(array.shape.slice(1));
  if (array.shape.length < 2 || ![width, array.shape[array.shape.length - 1], 1].includes(columns)) {
    throw new ShapeError(
      `A normalisation of ${columns} columns takes [rows, ${columns}], got ${formatShape(array.shape)}.`,
    );
  }
  const mapped = new Result(array.data.length);
  for (let i = 0; i < mapped.length; i++) {
    mapped[i] = map(array.data[i]!, mean[i % columns]!, scale[i % columns]!);
  }
  return mapped;
}
