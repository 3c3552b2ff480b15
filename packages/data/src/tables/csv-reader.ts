/**
 * Delimited text to rows of cells: Papa Parse reads the format (quotes, delimiters), piece by piece so that a file may be longer
 * than a string can be. What the cells mean is for others.
 */
import { DataError } from '@meanflow/core';
import Papa from 'papaparse';

/** One line of cells and where it stood. */
export interface CsvRow {
  /** Counted from 1, blank lines and the header included: what an editor shows. A cell may span lines; this is the first. */
  readonly row: number;
  /** Without the spaces around them. */
  readonly cells: readonly string[];
}

/** Characters that are parsed at once. */
const PIECE = 2 ** 21;
/** Characters of one row at most: beyond, a quote was opened and not closed. */
const LONGEST_ROW = 2 ** 24;

/** What Papa Parse makes of a piece. */
interface Parsed {
  readonly data: readonly (readonly string[])[];
  readonly errors: readonly { readonly type: string; readonly row?: number }[];
  readonly meta: { readonly cursor: number };
}

/** Reads text that comes in pieces, and hands on its rows; blank lines are passed over. */
export class CsvReader {
  private readonly parser: Papa.Parser;
  private rest = '';
  private row = 1;

  /**
   * @param file the file's name, for messages
   * @param delimiter what separates cells; a space stands for any number of them
   * @param isLenient whether malformed quotes are taken as they come
   */
  constructor(
    private readonly file: string,
    private readonly delimiter: string,
    private readonly onRow: (row: CsvRow) => void,
    private readonly isLenient = false,
  ) {
    this.parser = new Papa.Parser({ delimiter, newline: '\n' });
  }

  /**
   * Reads on.
   *
   * @param text with `\n` at the end of lines
   * @param isLast whether nothing comes after it
   * @throws {DataError} when a quoted cell is malformed or not closed
   */
  push(text: string, isLast: boolean): void {
    for (let at = 0; at < text.length || (isLast && at === 0); at += PIECE) {
      this.parse(text.slice(at, at + PIECE), isLast && at + PIECE >= text.length);
    }
  }

  private parse(piece: string, isLast: boolean): void {
    const input = this.rest + piece;
    const { data, errors, meta } = this.parser.parse(input, 0, !isLast) as Parsed;
    const malformed = this.isLenient
      ? undefined
      : errors.find(({ type, row = 0 }) => type === 'Quotes' && (isLast || row < data.length));
    for (const [i, raw] of data.entries()) {
      if (malformed !== undefined && i >= (malformed.row ?? 0)) break;
      this.take(raw);
    }
    if (malformed !== undefined) throw this.unclosed();
    this.rest = input.slice(meta.cursor);
    if (this.rest.length > LONGEST_ROW) throw this.unclosed();
  }

  private take(raw: readonly string[]): void {
    const { row } = this;
    this.row++;
    for (const cell of raw) {
      for (let at = cell.indexOf('\n'); at >= 0; at = cell.indexOf('\n', at + 1)) this.row++;
    }
    const trimmed = raw.map(trimmedCell);
    // Spaces come in runs, and at the ends of lines.
    const cells = this.delimiter === ' ' ? trimmed.filter((cell) => cell !== '') : trimmed;
    if (cells.length > 1 || (cells.length === 1 && cells[0] !== '')) this.onRow({ row, cells });
  }

  private unclosed(): DataError {
    return new DataError(
      `${this.file}: row ${this.row}: found a quoted cell that is malformed or not closed.`,
    );
  }
}

/** The rows of a text in a delimiter that is tried out: whatever is malformed is taken as it comes. */
export function tryRows(text: string, delimiter: string): CsvRow[] {
  const rows: CsvRow[] = [];
  new CsvReader('', delimiter, (row) => rows.push(row), true).push(text, true);
  return rows;
}

/** Without spaces around it, and without quotes that spaces kept from being such. */
function trimmedCell(cell: string): string {
  const text = cell.trim();
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"')
    ? text.slice(1, -1).replaceAll('""', '"').trim()
    : text;
}
