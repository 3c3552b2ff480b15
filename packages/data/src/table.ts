/**
 * Table: rows of numeric columns, and optionally a class for each row, out of CSV text. Classes come from the distinct
 * values of the label column in a fixed order (numbers by size, words by code unit), so that the same file always
 * gives the same classes. Values stay in the source's units.
 */
import { DataError, didYouMean } from '@meanflow/core';
import { parseCsv, parseNumber, type Csv } from './csv.js';

/** Numeric columns with an optional class per row. */
export interface Table {
  /** The source's name, for messages. */
  readonly file: string;
  /** Names of the numeric columns, the label's not among them; "column 3" where the source names none. */
  readonly columns: readonly string[];
  readonly rowCount: number;
  /** `[rowCount, columns.length]`, row-major, in the source's units. */
  readonly values: Float64Array;
  /** The class of each row; undefined where the source has no label column. */
  readonly labels: Int32Array | undefined;
  /** What the source calls each class, in order of class. */
  readonly classNames: readonly string[] | undefined;
}

export interface TableOptions {
  /** The file's name, for messages. */
  readonly file: string;
  /** The label column: its name in the header, or its number counted from 1. */
  readonly label?: string | number;
  /** Whether the first row names the columns; undefined: decided by what it holds. */
  readonly header?: boolean;
}

/**
 * A table from CSV text.
 *
 * @throws {DataError} naming file, row and column, what was found and what was expected: no data, ragged rows, a cell
 *   that is not a finite number, a label column that is not there, empty labels, as many classes as rows
 */
export function parseTable(text: string, options: TableOptions): Table {
  const { file } = options;
  const csv = parseCsv(text, file, options.header);
  const width = csv.rows[0].cells.length;
  const names = csv.header ?? Array.from({ length: width }, (_, i) => `column ${i + 1}`);
  const labelColumn = options.label === undefined ? -1 : findLabel(options.label, csv, names, file);
  const columns = names.filter((_, i) => i !== labelColumn);
  if (columns.length === 0) {
    throw new DataError(
      `${file}: found the label column only, expected at least one column of numbers beside it.`,
    );
  }

  const values = new Float64Array(csv.rows.length * columns.length);
  let next = 0;
  for (const { row, cells } of csv.rows) {
    for (let i = 0; i < width; i++) {
      if (i === labelColumn) continue;
      const value = parseNumber(cells[i]);
      if (value === undefined) {
        const found = cells[i] === '' ? 'an empty cell' : JSON.stringify(cells[i]);
        const hint =
          labelColumn < 0 && cells[i] !== '' ? ' If this column holds classes, name it as the label.' : '';
        throw new DataError(
          `${file}: row ${row}, column ${i + 1} ("${names[i]}"): found ${found}, expected a finite number.${hint}`,
        );
      }
      values[next++] = value;
    }
  }
  const classes = labelColumn < 0 ? undefined : classesOf(csv, labelColumn, names[labelColumn], file);
  return {
    file,
    columns,
    rowCount: csv.rows.length,
    values,
    labels: classes?.labels,
    classNames: classes?.names,
  };
}

/** Index of the label column. A name in the header goes before a number. */
function findLabel(label: string | number, csv: Csv, names: readonly string[], file: string): number {
  const named = csv.header?.indexOf(String(label)) ?? -1;
  if (named >= 0) return named;
  const position = parseNumber(String(label));
  if (position !== undefined) {
    if (Number.isInteger(position) && position >= 1 && position <= names.length) return position - 1;
    throw new DataError(
      `${file}: there is no label column ${label}, expected a number from 1 to ${names.length}.`,
    );
  }
  if (csv.header === undefined) {
    throw new DataError(
      `${file}: there is no header to find the label column "${label}" in, expected its number, 1 to ${names.length}.`,
    );
  }
  const known = names.map((name) => `"${name}"`).join(', ');
  const hint = didYouMean(String(label), names);
  throw new DataError(`${file}: there is no label column "${label}", found ${known}.${hint}`);
}

/** The class of each row, and the classes' names in order. */
function classesOf(
  csv: Csv,
  column: number,
  columnName: string,
  file: string,
): { labels: Int32Array; names: string[] } {
  const cells = csv.rows.map(({ row, cells }) => {
    if (cells[column] === '') {
      throw new DataError(
        `${file}: row ${row}, column ${column + 1} ("${columnName}"): found no label, expected a class.`,
      );
    }
    return cells[column];
  });
  // 1 and 1.0 are one class where all labels are numbers.
  const numeric = cells.every((cell) => parseNumber(cell) !== undefined);
  const keys = numeric ? cells.map((cell) => String(Number(cell))) : cells;
  const distinct = [...new Set(keys)];
  if (distinct.length === keys.length) {
    throw new DataError(
      `${file}: column ${column + 1} ("${columnName}") has ${distinct.length} different labels in ${keys.length} rows, ` +
        'expected classes that several rows share.',
    );
  }
  const names = numeric ? distinct.sort((a, b) => Number(a) - Number(b)) : distinct.sort();
  const classOf = new Map(names.map((name, label) => [name, label]));
  return { labels: Int32Array.from(keys, (key) => classOf.get(key)!), names };
}
