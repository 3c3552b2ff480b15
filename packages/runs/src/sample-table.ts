/**
 * Samples as rows of a table, as the data that they resemble is written: in its units as float64 gives them, whole numbers where
 * its columns hold such, the columns that are the same everywhere in their places, and the class under the label's name.
 */
import { HostArray } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { denormalise, featureNames, GIVEN, imageBytes, type Batch, type TableColumn } from '@meanflow/data';
import type { ByteArray } from '@meanflow/formats';
import type { DataFacts, Labels } from './experiment/model.js';

export interface SampleTable {
  readonly names: readonly string[];
  /** A cell for each name: numbers, and the words that stand for them or for classes. */
  readonly rows: readonly (readonly (string | number)[])[];
}

/**
 * The table.
 *
 * @param samples `[rows, ...features]`, normalised
 * @param labels the class that each row was asked for; without them there is no column of classes
 */
export function sampleTable(
  samples: HostArray,
  labels: Labels,
  data: DataFacts,
  conditions?: Batch['conditions'],
): SampleTable {
  const { data: values } = denormalise(data.normalisation, samples);
  const count = samples.shape[0]!;
  const width = values.length / count;
  const all = layoutOf(data, width);
  const known = givenValues(data, conditions);
  const layout = all.filter(
    (column) =>
      (labels !== undefined || column.kind !== 'label') &&
      (!isGiven(column) || known?.has(column.name) === true),
  );
  const rows = Array.from({ length: count }, (_, row) => {
    let feature = row * width;
    return layout.map((column) => {
      if (column.kind === 'constant') return column.value;
      if (column.kind === 'label') return className(labels!.data[row]!, data.classNames);
      const value = isGiven(column) ? known!.get(column.name)![row]! : values[feature++]!;
      return cellOf(value, column);
    });
  });
  return { names: layout.map(({ name }) => name), rows };
}

/**
 * Samples as arrays, of numbers alone: `arr_0`, float64 `[rows, columns]` with the constant columns of a table, or
 * `[rows, ...features]`; uint8 `[rows, height, width, channels]` of images, as tools that compute FID take them; `labels`,
 * int32 `[rows]`, where classes were asked for; and `conditions/<name>`, float64 `[rows, ...shape]`, where samples were drawn for some.
 */
export function sampleArrays(
  samples: HostArray,
  labels: Labels,
  data: DataFacts,
  conditions?: Batch['conditions'],
): Readonly<Record<'arr_0', HostArray | ByteArray> & Record<string, HostArray | ByteArray>> {
  const given = Object.entries(conditionsInUnits(data, conditions));
  const beside = {
    ...(labels === undefined ? {} : { labels }),
    ...Object.fromEntries(given.map(([name, array]) => [`conditions/${name}`, array])),
  };
  const images = imagesOf(samples, data);
  if (images !== undefined) return { arr_0: images, ...beside };
  const made = denormalise(data.normalisation, samples);
  const count = samples.shape[0]!;
  const layout = layoutOf(data, made.size / count)
    .filter((column) => column.kind !== 'label')
    .filter((column) => !isGiven(column));
  const isPlain = layout.every((column) => column.kind === 'feature' && !column.integer);
  const numbers = isPlain ? made.data : new Float64Array(count * layout.length);
  if (!isPlain) {
    let feature = 0;
    for (let i = 0; i < numbers.length; i++) {
      const column = layout[i % layout.length]!;
      numbers[i] = column.kind === 'constant' ? column.value : numberOf(made.data[feature++]!, column);
    }
  }
  const arr = new HostArray('float64', isPlain ? samples.shape : [count, layout.length], numbers);
  return { arr_0: arr, ...beside };
}

/** Images in 8 bits; undefined where samples are none. */
function imagesOf(samples: HostArray, { imageShape }: DataFacts): ByteArray | undefined {
  if (imageShape?.length !== 3) return undefined;
  const [height, width, channels] = leading(imageShape, 3);
  const data = imageBytes(samples, [height, width, channels]);
  return { dtype: 'uint8', shape: [samples.shape[0]!, height, width, channels], data };
}

/** What the source calls a class. */
export function className(label: number, names: readonly string[] | undefined): string {
  return names?.[label] ?? String(label);
}

/** The columns as the data records them; else the features, then what was given, then the class, of which nothing more is known. */
function layoutOf(data: DataFacts, width: number): readonly TableColumn[] {
  const { layout } = data;
  if (layout?.filter((column) => column.kind === 'feature' && !isGiven(column)).length === width) {
    return layout;
  }
  const given = data.conditions?.[GIVEN]?.columns ?? [];
  return [
    ...featureNames(data).map((name): TableColumn => ({ kind: 'feature', name, integer: false })),
    ...given.map((name): TableColumn => ({ kind: 'feature', name, integer: false, given: true })),
    { kind: 'label', name: 'class' },
  ];
}

/** Whether a column was given, and is not among the features. */
function isGiven(column: TableColumn): boolean {
  return column.kind === 'feature' && column.given === true;
}

/** The values of columns that are given, by name, in the data's units. */
function givenValues(
  { conditions: specs }: DataFacts,
  conditions: Batch['conditions'],
): ReadonlyMap<string, Float64Array> | undefined {
  const [spec, given] = [specs?.[GIVEN], conditions?.[GIVEN]];
  if (spec?.columns === undefined || given === undefined) return undefined;
  const { data } = denormalise(spec.normalisation, given);
  const width = spec.columns.length;
  return new Map(
    spec.columns.map((name, i) => {
      // Seven digits are what float32, in which conditions are given, keeps of a number.
      const values = data.filter((_, at) => at % width === i).map((value) => Number(value.toPrecision(7)));
      return [name, values] as const;
    }),
  );
}

/** What samples were drawn for in the units of the data, float64 `[rows, ...shape]` each. */
export function conditionsInUnits(
  { conditions: specs = {} }: DataFacts,
  conditions: Batch['conditions'] = {},
): Readonly<Record<string, HostArray<'float64'>>> {
  return Object.fromEntries(
    Object.entries(conditions).flatMap(([name, array]) => {
      const spec = specs[name];
      return spec === undefined ? [] : [[name, denormalise(spec.normalisation, array)] as const];
    }),
  );
}

type FeatureColumn = TableColumn & { readonly kind: 'feature' };

function cellOf(value: number, column: FeatureColumn): string | number {
  const number = numberOf(value, column);
  return column.words === undefined ? number : column.words[number]!;
}

function numberOf(value: number, { integer, words }: FeatureColumn): number {
  if (words !== undefined) return value < 0.5 ? 0 : 1;
  // Not −0, which no whole number is written as.
  return integer ? Math.round(value) + 0 : value;
}
