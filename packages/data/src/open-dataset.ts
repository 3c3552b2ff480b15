/**
 * The datasets that come with the package, by name, and any CSV file by its content. Reading files is left to whoever
 * calls: `@meanflow/data/node` reads them from disk, a page fetches them.
 */
import { ArgumentError } from '@meanflow/core';
import { checkFields, describeValue, quoted, Registry, type FieldKinds } from '@meanflow/core/validation';
import { type Dataset } from './dataset.js';
import { DIGITS_FILE, digitsDataset } from './digits.js';
import { distributionDataset } from './distribution-dataset.js';
import { distributions } from './distributions/index.js';
import { FASHION_FILES, fashionDataset } from './fashion.js';
import { parseTable, type Table, type TableOptions } from './table.js';
import { type ImageLayout } from './images/layout.js';
import { shapesDataset } from './shapes/shapes-dataset.js';
import type { SplitOptions } from './split.js';
import { tableDataset } from './table-dataset.js';
import { readText } from './text.js';
import { WINE_FILE, wineDataset } from './wine.js';

/** A data set that has a name, as it is written down. */
export interface DatasetDefinition {
  readonly name: string;
  /** For a list. */
  readonly description?: string;
  /** The files in this package's `assets` that hold it; undefined where it is drawn from a distribution, or found elsewhere. */
  readonly assets?: readonly string[] | undefined;
  /**
   * What of its recipe is not as that of such data: `conditional`, `steps`, `batch`, `network`, `optimizer`, `ema`, `evaluation`
   * or `methods`, as a comparison's configuration would say it.
   */
  readonly recipe?: Readonly<Record<string, unknown>>;
  /**
   * @throws {ArgumentError} when it needs `readAsset` and has none
   * @throws {DataError} when its file is damaged
   */
  open(options: OpenOptions): Dataset | Promise<Dataset>;
}

/** A data set that has a name. */
export interface DatasetEntry extends DatasetDefinition {
  readonly description: string;
  open(options: OpenOptions): Promise<Dataset>;
}

const fields: FieldKinds<DatasetDefinition> = {
  name: 'text',
  description: 'words?',
  assets: 'list?',
  recipe: 'object?',
  open: 'function',
};

function completeDataset(definition: DatasetDefinition): DatasetEntry {
  const { name, description = '' } = definition;
  checkFields(`The data set ${quoted(name)}`, definition, fields);
  return {
    ...definition,
    description,
    open: async (options) => opened(name, await definition.open(options)),
  };
}

/** What a definition has opened, which may be somebody else's. */
function opened(name: string, dataset: Dataset): Dataset {
  const given: Partial<Dataset> = typeof dataset === 'object' && dataset !== null ? dataset : {};
  const { batch, reference, featureShape, columns, normalisation } = given;
  const isDataset =
    typeof batch === 'function' &&
    typeof reference === 'function' &&
    Array.isArray(featureShape) &&
    Array.isArray(columns) &&
    normalisation !== undefined;
  if (isDataset) return dataset;
  throw new ArgumentError(
    `The data set ${quoted(name)}: expected that open gives a Dataset, such as one of drawnDataset or rowsDataset, got ${describeValue(dataset)}.`,
  );
}

export interface OpenOptions extends SplitOptions {
  /** The bytes of a file of this package's `assets`; needed for the datasets that have one. */
  readonly readAsset?: (file: string) => Promise<Uint8Array>;
  /** Of images with several axes, which digits are not; `nhwc` by default. */
  readonly layout?: ImageLayout;
}

/** The datasets that have a name, in the order of a list for reading; others can be registered. */
export const datasets = new Registry<DatasetDefinition, DatasetEntry>(
  'dataset',
  [
    ...distributions.map((distribution) => ({
      name: distribution.name,
      description: `${distribution.description}, points of the plane`,
      open: () => distributionDataset(distribution),
    })),
    fromAssets(
      'digits',
      'handwritten digits, 1,797 images of 8×8 pixels in 10 classes',
      [DIGITS_FILE],
      ([digits], { layout: _, ...options }) => digitsDataset(digits, options),
    ),
    ...[16, 32].map((side) => shapesEntry(side)),
    fromAssets(
      'fashion',
      "clothes, Fashion-MNIST's 10,000 test images of 28×28 pixels in 10 classes",
      FASHION_FILES,
      ([images, labels], options) => fashionDataset(images, labels, options),
    ),
    fromAssets(
      'wine',
      'chemical analysis of 178 wines, 13 columns, 3 classes',
      [WINE_FILE],
      ([wines], { layout: _, ...options }) => wineDataset(wines, options),
    ),
  ],
  {
    advice: 'for your own data, give the path of a CSV file, of images or of latents',
    complete: completeDataset,
  },
);

/**
 * Opens a dataset by name.
 *
 * @param name one of `datasets`
 * @throws {ArgumentError} when there is none of that name (the message lists the names and the nearest one), or it
 *   needs `readAsset` and has none
 * @throws {DataError} when its file is damaged
 */
export async function openDataset(name: string, options: OpenOptions = {}): Promise<Dataset> {
  return datasets.get(name).open(options);
}

export interface CsvDatasetOptions extends TableOptions, SplitOptions {
  /** The text's encoding; found out by default. */
  readonly encoding?: string | undefined;
  /** Default: the file's name. */
  readonly name?: string;
}

/**
 * The dataset of any CSV file: numeric columns, standardised over the training rows, and optionally a label column.
 *
 * @param bytes the file's content, plain or gzip-compressed
 * @throws {DataError} naming file, row and column, what was found and what was expected
 */
export function csvDataset(bytes: Uint8Array, options: CsvDatasetOptions): Dataset {
  const { text, encoding } = readText(bytes, options.file, options.encoding);
  const table = inEncoding(parseTable(text, options), encoding);
  return tableDataset(table, { ...options, name: options.name ?? options.file });
}

/** The table with the encoding of its text among what is known of its reading. */
export function inEncoding(table: Table, encoding: string): Table {
  const notes = [...(encoding === 'utf-8' ? [] : [`text in ${encoding}`]), ...(table.notes ?? [])];
  return { ...table, notes, reading: { ...table.reading, encoding } };
}

function shapesEntry(side: number): DatasetDefinition {
  const { name, classCount } = shapesDataset({ side });
  return {
    name,
    description: `coloured shapes, images of ${side}×${side} pixels in ${classCount} classes, drawn afresh`,
    open: ({ layout }) => shapesDataset({ side, ...(layout && { layout }) }),
  };
}

/** The content of each of some files. */
type Contents<Files extends readonly string[]> = { readonly [File in keyof Files]: Uint8Array };

function fromAssets<const Files extends readonly string[]>(
  name: string,
  description: string,
  assets: Files,
  parse: (contents: Contents<Files>, options: Omit<OpenOptions, 'readAsset'>) => Dataset,
): DatasetDefinition {
  const open = async ({ readAsset, ...options }: OpenOptions): Promise<Dataset> => {
    if (readAsset === undefined) {
      throw new ArgumentError(
        `The dataset "${name}" needs \`readAsset\`, which reads ${assets.map((asset) => `"${asset}"`).join(' and ')}.`,
      );
    }
    return parse((await Promise.all(assets.map((asset) => readAsset(asset)))) as Contents<Files>, options);
  };
  return { name, description, assets, open };
}
