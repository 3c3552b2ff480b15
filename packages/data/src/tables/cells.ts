/**
 * What a cell of a table holds: a number in one of the ways in which people and programs write numbers, or one of the things
 * that stand where a number should.
 */

/** How numbers are written. */
export interface NumberFormat {
  readonly decimal: '.' | ',';
  /** What stands between groups of three digits; undefined: nothing. */
  readonly thousands: string | undefined;
}

export const plainNumbers: NumberFormat = { decimal: '.', thousands: undefined };

export type CellKind = 'number' | 'missing' | 'infinite' | 'boolean' | 'percent' | 'date' | 'word';

const PLAIN = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * The number that a cell holds, or undefined when it is not a finite decimal number.
 *
 * @param cell without spaces around it
 */
export function parseNumber(cell: string, format: NumberFormat = plainNumbers): number | undefined {
  const text = PLAIN.test(cell) && format.decimal === '.' ? cell : asPlain(cell, format);
  if (text === undefined) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** The number as JavaScript writes it; undefined where it is none. */
function asPlain(cell: string, { decimal, thousands }: NumberFormat): string | undefined {
  let text = cell.startsWith('−') ? `-${cell.slice(1)}` : cell;
  if (thousands !== undefined && text.includes(thousands)) {
    const [whole = ''] = text.split(decimal, 1);
    const mark = escaped(thousands);
    // Groups of three after the first: 1.5 is no thousand and a half.
    if (!new RegExp(`^[+-]?\\d{1,3}(${mark}\\d{3})+$`).test(whole)) return undefined;
    text = whole.replaceAll(thousands, '') + text.slice(whole.length);
  }
  if (decimal === ',') {
    if (text.includes('.')) return undefined;
    text = text.replace(',', '.');
  }
  return PLAIN.test(text) ? text : undefined;
}

const MISSING =
  /^(|\?|-|--|\.|[-+]?nan|-?1\.#(ind|qnan|inf)|na|n\/a|<na>|nat|null|nil|none|missing|#n\/a( n\/a)?|#na|#(value|ref|name|null|num|div\/0)[!?])$/i;
const INFINITE = /^[-+]?(inf|infinity|∞)$/i;
const DATE =
  /^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{1,2}-([a-z]{3}|\d{1,2})-\d{2,4}|\d{1,2}:\d{2})([T :,].*)?$/i;
/** Words that are two values, the false one first; those of one letter are names as often. */
const booleans: readonly (readonly [string, string])[] = [
  ['false', 'true'],
  ['no', 'yes'],
];

/** What a cell holds. */
export function kindOfCell(cell: string, format: NumberFormat): CellKind {
  if (parseNumber(cell, format) !== undefined) return 'number';
  if (MISSING.test(cell)) return 'missing';
  if (INFINITE.test(cell) || (PLAIN.test(cell) && !Number.isFinite(Number(cell)))) return 'infinite';
  if (parseBoolean(cell) !== undefined) return 'boolean';
  if (parsePercent(cell, format) !== undefined) return 'percent';
  return DATE.test(cell) ? 'date' : 'word';
}

/** The number before a percent sign. */
export function parsePercent(cell: string, format: NumberFormat): number | undefined {
  return cell.endsWith('%') ? parseNumber(cell.slice(0, -1).trimEnd(), format) : undefined;
}

/** 0 or 1 for a word that says no or yes. */
export function parseBoolean(cell: string): 0 | 1 | undefined {
  const lower = cell.toLowerCase();
  const pair = booleans.find((words) => words.includes(lower));
  return pair && (pair[0] === lower ? 0 : 1);
}

/** Whether a number is written as one that is not whole: `1.5`, `2.0`, `1e-3`. */
export function isDecimalSpelling(cell: string): boolean {
  return !/^[+-]?\d+$/.test(cell);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
