/**
 * The dialect of a table: what separates its cells, how its numbers are written, which lines are comments. It is found from the
 * beginning of the text, by trying each delimiter and taking the one that gives rows of equal length, of numbers; whatever is
 * asked for is taken as it is.
 */
import { ArgumentError } from '@meanflow/core';
import { kindOfCell, type NumberFormat } from './cells.js';
import { tryRows, type CsvRow } from './csv-reader.js';
import { detectNumberFormat } from './number-format.js';

/** How the text is to be read; what is undefined is found out. */
export interface DialectOptions {
  /** What separates cells: one character; a space stands for any number of them. */
  readonly delimiter?: string | undefined;
  readonly decimal?: NumberFormat['decimal'] | undefined;
  /** What stands between groups of three digits; `none`: nothing. */
  readonly thousands?: string | undefined;
  /** What lines that are comments begin with; `none`: there are none. */
  readonly comment?: string | undefined;
}

/** How the text is read. */
export interface Dialect {
  readonly delimiter: string;
  readonly numbers: NumberFormat;
  readonly comment: string | undefined;
  /** Lines at the beginning that are no rows, such as Excel's `sep=;`. */
  readonly skipped: number;
}

const delimiters = [',', ';', '\t', '|', ' '] as const;
const commentMarks = ['#', '%', '//'] as const;

/** The names of delimiters that are hard to type or to see. */
export const delimiterNames: Readonly<Record<string, string>> = {
  ',': 'comma',
  ';': 'semicolon',
  '\t': 'tab',
  ' ': 'space',
  '|': 'bar',
};

/** A delimiter out of itself, its name, or `\t`. @throws {ArgumentError} when it is none */
export function delimiterOf(text: string): string {
  const named = Object.entries(delimiterNames).find(([, name]) => name === text.toLowerCase());
  if (named !== undefined) return named[0];
  if (text === '\\t') return '\t';
  if ([...text].length === 1 && !/["\r\n\ufeff]/.test(text)) return text;
  throw new ArgumentError(
    `A delimiter is one character, or one of ${Object.values(delimiterNames).join(', ')}, got "${text}".`,
  );
}

/** Whether a row is a comment. */
export function isComment({ cells }: CsvRow, comment: string | undefined): boolean {
  return comment !== undefined && cells[0]!.startsWith(comment);
}

/**
 * Finds the dialect.
 *
 * @param head the beginning of the text, whole lines with `\n` at their ends
 * @param file for messages
 * @throws {DataError} when numbers could be read in two ways
 * @throws {ArgumentError} when an option is none
 */
export function detectDialect(head: string, file: string, options: DialectOptions): Dialect {
  const separator = /^"?sep=(.|\\t)"?[^\S\t]*(\n|$)/i.exec(head);
  const text = separator === null ? head : head.slice(separator[0].length);
  const comment = commentOf(text, options.comment);
  const asked = options.delimiter ?? separator?.[1];
  const tried = asked === undefined ? delimiters : [delimiterOf(asked)];
  const numberOptions = {
    decimal: options.decimal,
    ...(options.thousands === 'none' ? { thousands: undefined } : { thousands: options.thousands }),
  };
  let best:
    { readonly delimiter: string; readonly rows: readonly CsvRow[]; readonly score: number } | undefined;
  for (const delimiter of tried) {
    const rows = tryRows(text, delimiter).filter((row) => !isComment(row, comment));
    const score = tried.length === 1 ? 0 : scoreOf(rows, delimiter);
    if (best === undefined || score > best.score + 1e-9) best = { delimiter, rows, score };
  }
  const { delimiter, rows } = best!;
  const found = detectNumberFormat(
    rows.flatMap(({ cells }) => cells),
    delimiter,
    file,
    numberOptions,
  );
  return {
    delimiter,
    numbers: options.thousands === 'none' ? { ...found, thousands: undefined } : found,
    comment,
    skipped: separator === null ? 0 : 1,
  };
}

/** How well rows fit together, from 0 to 1: rows of the commonest length, and numbers among their cells. */
function scoreOf(all: readonly CsvRow[], delimiter: string): number {
  const rows = all.slice(0, SCORED);
  const [first, ...rest] = rows;
  if (first === undefined) return 0;
  const below = rest.length === 0 ? rows : rest;
  const width = commonestLength(below);
  const fitting = below.filter(({ cells }) => cells.length === width);
  const isAlike = first.cells.length === width;
  const isFirstFit = isAlike || isNearHeader(first, fitting, width);
  const consistency = (fitting.length + (isAlike ? 1 : 0.5)) / (below.length + 1);
  const cells = fitting.flatMap((row) => row.cells).filter((cell) => cell !== '');
  const numbers = cells.filter((cell) =>
    eitherDecimals.some((format) => kindOfCell(cell, format) !== 'word'),
  );
  const share = cells.length === 0 ? 0 : numbers.length / cells.length;
  const isQuoted = rows.some((row) => row.cells.some((cell) => cell.includes('"')));
  return (
    consistency *
    (0.2 + 0.8 * share) *
    // One column is what every delimiter but the right one gives.
    (width > 1 ? 1 : 0.3) *
    (isFirstFit ? 1 : 0.25) *
    (isQuoted ? 0.25 : 1) *
    (delimiter === ' ' ? 0.99 : 1)
  );
}

/** Rows that delimiters are scored by. */
const SCORED = 200;

const eitherDecimals: readonly NumberFormat[] = [
  { decimal: '.', thousands: ',' },
  { decimal: ',', thousands: '.' },
];

/** Whether a first row of another length is a header: with a delimiter at its end, or without a name for names of rows. */
function isNearHeader(first: CsvRow, below: readonly CsvRow[], width: number): boolean {
  if (first.cells.length === width + 1) return first.cells[width] === '';
  if (first.cells.length !== width - 1) return false;
  if (below.every(({ cells }) => cells[width - 1] === '')) return true;
  const names = below.map(({ cells }) => cells[0]);
  if (new Set(names).size < names.length) return false;
  // Numbers of rows count; 2,5 and 3,7 below one name are decimals.
  const start = Number(names[0]);
  return Number.isNaN(start) || names.every((name, i) => Number(name) === start + i);
}

/** The number of cells that most rows have; of two the larger. */
export function commonestLength(rows: readonly CsvRow[]): number {
  const counts = new Map<number, number>();
  for (const { cells } of rows) counts.set(cells.length, (counts.get(cells.length) ?? 0) + 1);
  return [...counts].sort(([a, x], [b, y]) => y - x || b - a)[0]?.[0] ?? 0;
}

/** What comments begin with: a mark that lines have, but not most lines of data. */
function commentOf(text: string, asked: string | undefined): string | undefined {
  if (asked === 'none') return undefined;
  if (asked !== undefined) return asked;
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return commentMarks.find((mark) => {
    const isMarked = (line: string): boolean => line.trimStart().startsWith(mark);
    const first = lines.findIndex((line) => !isMarked(line));
    if (first < 0) return false;
    const data = lines.slice(first);
    const within = data.filter(isMarked).length;
    return first > 0 ? within * 2 < data.length : mark === '#' && within > 0 && within * 2 < data.length;
  });
}
