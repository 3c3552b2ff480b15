/**
 * Wine: the chemical analysis of 178 wines from three cultivars, 13 columns (Aeberhard and Forina, "Wine", UCI Machine
 * Learning Repository, 1992, CC BY 4.0): a small table with columns of very different units.
 */
import { DataError } from '@meanflow/core';
import { type Dataset } from './dataset.js';
import { parseTable, plainTable } from './table.js';
import type { SplitOptions } from './split.js';
import { tableDataset } from './table-dataset.js';
import { decodeText } from './text.js';

/** The file that holds the wines, beside this package's ATTRIBUTION.md. */
export const WINE_FILE = 'wine_data.csv';

/** The columns as the repository's description names them. */
const columns = [
  'alcohol',
  'malic_acid',
  'ash',
  'alcalinity_of_ash',
  'magnesium',
  'total_phenols',
  'flavanoids',
  'nonflavanoid_phenols',
  'proanthocyanins',
  'color_intensity',
  'hue',
  'od280_od315_of_diluted_wines',
  'proline',
];

/**
 * The wines as a dataset: features `[13]`, standardised over the training rows, three classes.
 *
 * @param bytes the content of `wine_data.csv`; its first row is `rows,columns,class names…`
 * @throws {DataError} when the file is damaged or not the wines
 */
export function wineDataset(bytes: Uint8Array, options: SplitOptions = {}): Dataset {
  const [summary = '', ...lines] = decodeText(bytes, WINE_FILE).split('\n');
  const [rowCount, width, ...classNames] = summary.trim().split(',');
  if (Number(width) !== columns.length) {
    throw new DataError(
      `${WINE_FILE}: row 1 is "${summary}", expected "rows,${columns.length},class names".`,
    );
  }
  const table = parseTable(lines.join('\n'), { file: WINE_FILE, label: columns.length + 1, ...plainTable });
  if (table.rowCount !== Number(rowCount) || table.classNames?.length !== classNames.length) {
    throw new DataError(
      `${WINE_FILE}: found ${table.rowCount} rows of ${table.classNames?.length} classes, ` +
        `expected ${rowCount} of ${classNames.length} as row 1 says.`,
    );
  }
  // The file has no names for what its description names.
  const layout = table.layout?.map((column, i) =>
    column.kind === 'feature' ? { ...column, name: columns[i]! } : { ...column, name: 'class' },
  );
  return tableDataset(
    { ...table, columns, classNames, layout, reading: undefined, notes: [] },
    { ...options, name: 'wine' },
  );
}
