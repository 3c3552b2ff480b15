/**
 * Which way of writing numbers a table has: whether a comma is the decimal sign or stands between thousands shows in
 * cells that can only be one of them. Where all could be both and the difference is a factor of a thousand, it is asked for.
 */
import { DataError } from '@meanflow/core';
import { plainNumbers, type NumberFormat } from './cells.js';

/** Cells that have digits and signs of numbers only. */
const NUMERIC = /^[+\-−]?[\d.,'’_ \u00a0\u202f]*\d[\d.,'’_ \u00a0\u202f]*(e[+-]?\d+)?\s?%?$/i;
/** A comma that no thousands have behind it: not three digits, or before nothing but zero. */
const DECIMAL_COMMA = /^[+\-−]?0*,\d|,(\d{1,2}|\d{4,})(\D|$)|,\d+e|\.\d{3},\d/i;
const DECIMAL_POINT = /^[+\-−]?0*\.\d|\.(\d{1,2}|\d{4,})(\D|$)|\.\d+e|,\d{3}\.\d/i;
const COMMA_GROUPS = /\d,\d{3}(,\d{3}|\.)/;
const POINT_GROUPS = /\d\.\d{3}(\.\d{3}|,)/;
const ONE_COMMA_GROUP = /^[+\-−]?\d{1,3},\d{3}\s?%?$/;

export interface NumberFormatOptions {
  readonly decimal?: NumberFormat['decimal'] | undefined;
  readonly thousands?: string | undefined;
}

/**
 * How the numbers among these cells are written.
 *
 * @param delimiter between the cells: where it is a semicolon, the comma is needed for something else
 * @param file for messages
 * @throws {DataError} when cells such as 1,234 may be a thousand or one and a quarter
 */
export function detectNumberFormat(
  cells: Iterable<string>,
  delimiter: string,
  file: string,
  asked: NumberFormatOptions = {},
): NumberFormat {
  const found = { comma: false, point: false, commaGroups: false, pointGroups: false };
  let ambiguous: string | undefined;
  let mark: string | undefined;
  for (const cell of cells) {
    if (!NUMERIC.test(cell)) continue;
    found.comma ||= DECIMAL_COMMA.test(cell);
    found.point ||= DECIMAL_POINT.test(cell);
    found.commaGroups ||= COMMA_GROUPS.test(cell);
    found.pointGroups ||= POINT_GROUPS.test(cell);
    if (ONE_COMMA_GROUP.test(cell)) ambiguous ??= cell;
    mark ??= /\d(['’_ \u00a0\u202f])\d{3}(\D|$)/.exec(cell)?.[1];
  }
  const decimal = asked.decimal ?? decimalOf();
  return { decimal, thousands: asked.thousands ?? groupsOf() };

  function decimalOf(): NumberFormat['decimal'] {
    const { thousands } = asked;
    if (thousands === ',' || thousands === '.') return thousands === ',' ? '.' : ',';
    if (found.comma || found.pointGroups) return ',';
    if (found.point || found.commaGroups || ambiguous === undefined) return '.';
    if (delimiter === ';') return ',';
    const [whole, part] = ambiguous.split(',');
    throw new DataError(
      `${file}: found numbers such as ${ambiguous}, which may be ${whole}${part} or ${whole}.${part}: say which, with ` +
        'the decimal sign (--decimal , or --decimal .).',
    );
  }

  function groupsOf(): string | undefined {
    if (decimal === ',') return found.pointGroups ? '.' : mark;
    return found.commaGroups || ambiguous !== undefined ? ',' : mark;
  }
}

/** In words, where it is not the plain one. */
export function numberFormatText({ decimal, thousands }: NumberFormat): string[] {
  return [
    ...(decimal === plainNumbers.decimal ? [] : ['decimal comma']),
    ...(thousands === undefined ? [] : [`${JSON.stringify(thousands)} between thousands`]),
  ];
}
