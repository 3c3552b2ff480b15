/**
 * CSV text to a rectangle of cells: Papa Parse reads the format (quoting, line ends, the delimiter among comma,
 * semicolon, tab and bar), and this file holds what it reads to a rectangle and tells a header from data. What the
 * cells mean is for `table.ts`.
 */
import { DataError } from '@meanflow/core';
import Papa from 'papaparse';

/** One line of cells and where it stood. */
export interface CsvRow {
  /** Counted from 1, blank lines and the header included: what an editor shows, where no quoted cell spans lines. */
  readonly row: number;
  readonly cells: readonly string[];
}

/** A header, or undefined, and rows of equal length. */
export interface Csv {
  readonly header: readonly string[] | undefined;
  readonly rows: readonly CsvRow[];
}

/**
 * Reads CSV text.
 *
 * @param text the file's content
 * @param file the file's name, for messages
 * @param header whether the first row names the columns; undefined: decided by what it holds
 * @throws {DataError} when there is no row of data, a row is longer or shorter than the first, or a quote is not closed
 */
export function parseCsv(text: string, file: string, header?: boolean): Csv {
  const { data, errors } = Papa.parse<string[]>(text, { delimitersToGuess: [',', ';', '\t', '|'] });
  const malformed = errors.find((error) => error.type === 'Quotes');
  if (malformed) {
    throw new DataError(
      `${file}: row ${(malformed.row ?? 0) + 1}: found a quoted cell that is malformed or not closed.`,
    );
  }
  const rows = data
    .map((cells, index) => ({ row: index + 1, cells: cells.map((cell) => cell.trim()) }))
    .filter(({ cells }) => cells.length > 1 || cells[0] !== '');
  if (rows.length === 0)
    throw new DataError(`${file}: found nothing, expected rows of numbers separated by commas.`);

  const [first] = rows;
  for (const { row, cells } of rows) {
    if (cells.length !== first.cells.length) {
      throw new DataError(
        `${file}: row ${row} has ${count(cells.length)}, expected ${first.cells.length} as in row ${first.row}.`,
      );
    }
  }
  if (!(header ?? looksLikeHeader(rows))) return { header: undefined, rows };
  if (rows.length === 1)
    throw new DataError(`${file}: found a header and nothing below it, expected rows of numbers.`);
  return { header: first.cells, rows: rows.slice(1) };
}

/** The number a cell holds, or undefined when it is not a plain finite decimal number. */
export function parseNumber(cell: string): number | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(cell)) return undefined;
  const value = Number(cell);
  return Number.isFinite(value) ? value : undefined;
}

/** A header has words above numbers; words above words are as likely a label column without one. */
function looksLikeHeader(rows: readonly CsvRow[]): boolean {
  const isWord = (cell: string): boolean => parseNumber(cell) === undefined;
  const [first, second] = rows;
  if (first.cells.every(isWord)) return true;
  return second !== undefined && first.cells.some((cell, i) => isWord(cell) && !isWord(second.cells[i]));
}

function count(cells: number): string {
  return cells === 1 ? '1 column' : `${cells} columns`;
}
