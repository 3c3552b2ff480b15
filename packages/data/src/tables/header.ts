/**
 * Whether the first row of a table names its columns. Words above numbers do; whole numbers do where they count the columns, as
 * those of pandas and R do. A row of data that is taken for a header is lost and a header that is taken for data is learnt, so
 * that what could be both is asked for.
 */
import { DataError } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { isDecimalSpelling, kindOfCell, parseNumber, type NumberFormat } from './cells.js';
import { type CsvRow } from './csv-reader.js';

/** Columns from which on a row 0, 1, 2, … above whole numbers is no accident. */
const NO_ACCIDENT = 5;

/**
 * @param rows the first ones of the table, without comments
 * @throws {DataError} when the first could be either
 */
export function hasHeader(rows: readonly CsvRow[], numbers: NumberFormat, file: string): boolean {
  const verdict = headerVerdict(rows, numbers);
  if (verdict !== 'either') return verdict === 'header';
  const [{ row, cells }] = leading(rows, 1);
  const shown = `${cells.slice(0, 5).join(', ')}${cells.length > 5 ? ', …' : ''}`;
  throw new DataError(
    `${file}: row ${row}, ${shown}, may be a header or data: say which with --header or --no-header.`,
  );
}

type Verdict = 'header' | 'data' | 'either';

function headerVerdict(rows: readonly CsvRow[], numbers: NumberFormat): Verdict {
  const [first] = leading(rows, 1);
  const below = rows.slice(1);
  const columns = first.cells.map((cell, i) => columnOf(cell, i, first, below, numbers));
  const words = columns.filter(({ kind }) => kind === 'word');
  const wholes = columns.filter(({ kind }) => kind === 'whole');
  const blanks = columns.filter(({ kind }) => kind === 'blank');
  // A number with decimals, a percentage, a date above dates: what is measured names nothing.
  if (words.length + wholes.length + blanks.length < columns.length) return 'data';
  if (words.length + wholes.length === 0) return 'data';
  if (below.length === 0) return words.length > 0 && wholes.length === 0 ? 'header' : 'data';
  if (words.some(({ recurs }) => recurs)) {
    // The name of a class, beside what is either a name or a fault in the data.
    return words.some(({ recurs, isNumeric }) => !recurs && isNumeric) ? 'either' : 'data';
  }
  const isIndexed = columns[0]!.cell === '' && blanks.length === 1;
  if (words.length > 0 && wholes.length === 0) {
    if (words.some(({ isNumeric }) => isNumeric)) return 'header';
    // Words above words: a header, but for a value that is missing beside a class.
    return blanks.length === 0 || isIndexed ? 'header' : 'data';
  }
  if (words.some(({ isNumeric }) => isNumeric)) {
    return isRising(wholes) && (wholes.length > 1 || countsUp(wholes)) ? 'header' : 'either';
  }
  // From here on numbers alone decide, beside which words may be the names of classes.
  if (blanks.length > 0 && !isIndexed) return 'data';
  const evident = wholes.filter(({ isMeasured }) => isMeasured).length;
  if (countsUp(wholes)) {
    if (evident > 0 || wholes.length >= NO_ACCIDENT || isIndexed) return 'header';
    return wholes.length > 1 && Number(wholes[0]!.cell) === 0 ? 'either' : 'data';
  }
  if (wholes.length < 2 || evident < wholes.length || !isRising(wholes)) return 'data';
  // Years above measurements, most likely, if there is a name beside them.
  return words.length > 0 ? 'header' : 'either';
}

/** A cell of the first row, and what stands below it. */
interface FirstCell {
  readonly cell: string;
  readonly kind: 'word' | 'whole' | 'blank' | 'value';
  /** Whether numbers stand below it. */
  readonly isNumeric: boolean;
  /** Whether these are all written with decimals. */
  readonly isMeasured: boolean;
  /** Whether it stands below again. */
  readonly recurs: boolean;
}

function columnOf(
  cell: string,
  i: number,
  first: CsvRow,
  below: readonly CsvRow[],
  numbers: NumberFormat,
): FirstCell {
  // A header of R has no name for the names of rows.
  const shift = below[0] && below[0].cells.length - first.cells.length === 1 ? 1 : 0;
  const column = below.map(({ cells }) => cells[i + shift] ?? '');
  const found = column.filter((each) => parseNumber(each, numbers) !== undefined);
  const isNumeric = found.length > 0;
  const kind = kindOfCell(cell, numbers);
  const isName = kind === 'word' || (kind === 'date' && isNumeric);
  return {
    cell,
    kind: isName
      ? 'word'
      : kind === 'missing'
        ? 'blank'
        : kind === 'number' && !isDecimalSpelling(cell)
          ? 'whole'
          : 'value',
    isNumeric,
    isMeasured: isNumeric && found.every(isDecimalSpelling),
    recurs: column.includes(cell),
  };
}

/** Whether these count up from 0 or 1. */
function countsUp(columns: readonly FirstCell[]): boolean {
  const start = Number(columns[0]!.cell);
  return (start === 0 || start === 1) && columns.every(({ cell }, i) => Number(cell) === start + i);
}

function isRising(columns: readonly FirstCell[]): boolean {
  return columns.every(({ cell }, i) => i === 0 || Number(cell) > Number(columns[i - 1]!.cell));
}
