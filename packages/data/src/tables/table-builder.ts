/**
 * A table out of rows of cells that come one by one: the first ones decide about the header and the columns, the others
 * must be like them. What is wrong is named by row and column; everything that was guessed is noted.
 */
import { DataError } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { kindOfCell } from './cells.js';
import { chooseColumns, type ChosenColumns, type ColumnOptions } from './columns.js';
import { ColumnValues } from './column-values.js';
import { type CsvRow } from './csv-reader.js';
import { commonestLength, delimiterNames, isComment, type Dialect } from './dialect.js';
import { hasHeader } from './header.js';
import { LabelClasses } from './label-classes.js';
import { numberFormatText } from './number-format.js';

/** Rows that decide. */
const DECIDING = 1000;

export interface BuilderOptions extends ColumnOptions {
  /** Whether the first row names the columns; undefined: decided by what it holds. */
  readonly header?: boolean | undefined;
  /** Whether rows with missing values are left out; false by default: they are an error. */
  readonly skipMissing?: boolean | undefined;
}

/** What the rows became. */
export interface BuiltTable {
  readonly header: boolean;
  readonly columns: ChosenColumns;
  /** Of each column to learn. */
  readonly features: readonly ColumnValues[];
  readonly rowCount: number;
  /** `[rowCount, features]` */
  readonly values: Float64Array;
  readonly classes: { readonly labels: Int32Array; readonly names: readonly string[] } | undefined;
  readonly notes: readonly string[];
}

/** What the first rows decided. */
interface Begun {
  readonly header: readonly string[] | undefined;
  readonly headerNote: string;
  readonly isNamedInComment: boolean;
  /** Cells of a row, without an empty one after a delimiter at its end. */
  readonly width: number;
  readonly isTrailing: boolean;
  /** The row that says the width. */
  readonly example: number;
  readonly columns: ChosenColumns;
  readonly features: readonly ColumnValues[];
}

export class TableBuilder {
  private readonly waiting: CsvRow[] = [];
  private begun: Begun | undefined;
  private lastComment: CsvRow | undefined;
  private readonly passedOver = { comments: 0, empty: 0, missing: 0 };
  private values = new Float64Array(1024);
  private size = 0;
  private rowCount = 0;
  private readonly classes = new LabelClasses();

  constructor(
    private readonly file: string,
    private readonly dialect: Dialect,
    private readonly options: BuilderOptions,
  ) {}

  /** @throws {DataError} naming row and column of what is wrong */
  add(row: CsvRow): void {
    if (isComment(row, this.dialect.comment)) {
      this.passedOver.comments++;
      if (this.waiting.length === 0 && this.begun === undefined) this.lastComment = row;
    } else if (this.begun !== undefined) {
      this.take(row, this.begun);
    } else {
      this.waiting.push(row);
      if (this.waiting.length >= DECIDING) this.begin();
    }
  }

  /** @throws {DataError} when there is no row of data, or what `add` throws */
  finish(): BuiltTable {
    const begun = this.begun ?? this.begin();
    const { file, rowCount, passedOver, dialect } = this;
    if (rowCount === 0) {
      throw new DataError(
        passedOver.missing > 0
          ? `${file}: every row lacks a value, so that none is left.`
          : `${file}: found a header and nothing below it, expected rows of numbers.`,
      );
    }
    const { columns, features } = begun;
    const { label } = columns;
    const found = label === undefined ? undefined : this.classes.finish(`${file}: column ${label + 1} ("${columns.names[label]}")`); // prettier-ignore
    const styled = (style: string): string[] =>
      columns.features.filter((_, i) => features[i]!.style === style).map((place) => columns.names[place]!);
    const counted = (count: number, what: string, ofWhat: string): string[] =>
      count === 0 ? [] : [`${count} ${what}${count === 1 ? '' : 's'} ${ofWhat}`];
    const notes = [
      begun.headerNote,
      ...(dialect.delimiter === ',' || begun.width === 1 ? [] : [`columns are separated by ${delimiterNames[dialect.delimiter] ?? JSON.stringify(dialect.delimiter)}`]), // prettier-ignore
      ...numberFormatText(dialect.numbers),
      ...columns.notes,
      ...styled('percent').map((name) => `"${name}" is in percent, and written without the sign`),
      ...styled('boolean').map((name) => `"${name}" is 0 and 1 for words`),
      ...columns.features.flatMap((place, i) =>
        features[i]!.isExact
          ? []
          : [
              `"${columns.names[place]}" has whole numbers beyond 2⁵³, which float64 rounds: if it is no quantity, leave it out with --drop ${place + 1}`,
            ],
      ),
      ...counted(
        passedOver.comments - (begun.isNamedInComment ? 1 : 0),
        'line',
        `passed over as comment (${dialect.comment})`,
      ),
      ...counted(passedOver.empty, 'empty row', 'passed over'),
      ...counted(passedOver.missing, 'row', 'with missing values left out'),
      ...(found?.notes ?? []),
      ...this.runningNotes(columns),
    ];
    return {
      header: begun.header !== undefined,
      columns,
      features,
      rowCount,
      values: this.values.slice(0, this.size),
      classes: found,
      notes,
    };
  }

  private begin(): Begun {
    const { file, waiting, options, dialect } = this;
    if (waiting.length === 0)
      throw new DataError(`${file}: found nothing, expected rows of numbers separated by commas.`);
    const [first] = leading(waiting, 1);
    const named = options.header === undefined ? this.namesInComment(first.cells.length) : undefined;
    const isHeader = options.header ?? this.isHeader(named !== undefined);
    const below = isHeader ? waiting.slice(1) : waiting;
    let header = isHeader ? first.cells : named;
    let width = first.cells.length;
    let isTrailing = false;
    const isEnded = (rows: readonly CsvRow[], at: number): boolean =>
      rows.length > 0 && rows.every(({ cells }) => cells.length <= at || cells[at] === '');
    const found = commonestLength(below);
    if (isHeader && found === width + 1) {
      if (isEnded(below, width)) isTrailing = true;
      else {
        // R writes the names of rows without a name for their column.
        header = ['', ...first.cells];
        width = found;
      }
    } else if (isHeader && found === width - 1 && first.cells[found] === '') {
      width = found;
    } else if (width > 1 && isEnded(waiting, width - 1)) {
      width--;
      isTrailing = true;
    }
    header = header?.slice(0, width);
    this.checkFirst(first, below, width, isTrailing);
    const columns = chooseColumns(header, width, file, options);
    const begun: Begun = {
      header,
      headerNote: isHeader
        ? `names of columns in row ${first.row}`
        : named !== undefined
          ? `names of columns in the comment in row ${this.lastComment!.row}`
          : 'no header',
      isNamedInComment: !isHeader && named !== undefined,
      width,
      isTrailing,
      example: first.row,
      columns,
      features: columns.features.map(() => new ColumnValues(dialect.numbers)),
    };
    this.begun = begun;
    for (const row of below) this.take(row, begun);
    waiting.length = 0;
    return begun;
  }

  /** @throws {DataError} when the first row is the one that is unlike all others */
  private checkFirst(first: CsvRow, below: readonly CsvRow[], width: number, isTrailing: boolean): void {
    const found = commonestLength(below);
    const alike = below.filter(({ cells }) => cells.length === found).length;
    if (below.length < 2 || alike < below.length || found === width || (isTrailing && found === width + 1))
      return;
    throw new DataError(
      `${this.file}: row ${first.row} has ${columnsText(first.cells.length)}, the ${below.length} rows that follow have ${found}: ` +
        'take a title out of the file, or mark it as a comment with #.',
    );
  }

  private isHeader(isNamed: boolean): boolean {
    try {
      return hasHeader(this.waiting, this.dialect.numbers, this.file);
    } catch (error) {
      // Names in a comment are the header.
      if (isNamed) return false;
      throw error;
    }
  }

  /** The names in a comment right above the rows, as numpy writes a header: as many words as there are columns. */
  private namesInComment(width: number): readonly string[] | undefined {
    const { lastComment, dialect } = this;
    if (lastComment === undefined) return undefined;
    const [first = '', ...rest] = lastComment.cells;
    const bare = first.slice(dialect.comment!.length).trim();
    const names = bare === '' && dialect.delimiter === ' ' ? rest : [bare, ...rest];
    const isNamed = names.every((name) => kindOfCell(name, dialect.numbers) === 'word');
    return names.length === width && isNamed ? names : undefined;
  }

  private take({ row, cells: given }: CsvRow, begun: Begun): void {
    const { file, options } = this;
    const { columns, features, width, isTrailing } = begun;
    const cells = isTrailing && given.length === width + 1 && given[width] === '' ? given.slice(0, width) : given; // prettier-ignore
    if (given.length > 1 && given.every((cell) => cell === '')) {
      this.passedOver.empty++;
      return;
    }
    if (cells.length !== width) {
      throw new DataError(
        `${file}: row ${row} has ${columnsText(cells.length)}, expected ${width} as in row ${begun.example}.`,
      );
    }
    if (options.skipMissing && this.lacksValue(cells, columns)) {
      this.passedOver.missing++;
      return;
    }
    this.reserve(columns.features.length);
    columns.features.forEach((place, i) => {
      const value = features[i]!.read(cells[place]!);
      if (value === undefined) throw this.wrongCell(row, place, cells[place]!, features[i]!, columns);
      this.values[this.size++] = value;
    });
    if (columns.label !== undefined) {
      const label = cells[columns.label]!;
      if (label === '') {
        throw new DataError(
          `${file}: row ${row}, column ${columns.label + 1} ("${columns.names[columns.label]}"): found no label, expected a class. ` +
            'Leave such rows out with --skip-missing.',
        );
      }
      this.classes.add(label);
    }
    this.rowCount++;
  }

  private lacksValue(cells: readonly string[], { features, label }: ChosenColumns): boolean {
    const { numbers } = this.dialect;
    const isMissing = (place: number): boolean => kindOfCell(cells[place]!, numbers) === 'missing';
    return features.some(isMissing) || (label !== undefined && isMissing(label));
  }

  private reserve(more: number): void {
    if (this.size + more <= this.values.length) return;
    const larger = new Float64Array(Math.max(2 * this.values.length, this.size + more));
    larger.set(this.values);
    this.values = larger;
  }

  private wrongCell(
    row: number,
    place: number,
    cell: string,
    { style }: ColumnValues,
    { names, label, features }: ChosenColumns,
  ): DataError {
    const kind = kindOfCell(cell, this.dialect.numbers);
    const shown = cell === '' ? 'an empty cell' : JSON.stringify(cell);
    const drop = `leave the column out with --drop ${place + 1}`;
    const asLabel =
      label === undefined ? ' If this column holds classes, name it as the label (--label).' : '';
    const { decimal } = this.dialect.numbers;
    const hint = {
      missing: ` It has no value: leave such rows out with --skip-missing, or ${drop}.`,
      infinite: ` Nothing can be learnt of infinity: take the row out, or ${drop}.`,
      date: ` It looks like a date or a time: turn it into a number, or ${drop}.`,
      percent: '',
      boolean: '',
      number: '',
      word: /^[+-]?[\d.,\s]+$/.test(cell)
        ? ` Numbers are read with a decimal ${decimal === ',' ? 'comma' : 'point'}: another one is chosen with --decimal.`
        : features.length === 1 && /\d[^\d\s.,eE+-]+[+-]?\d/.test(cell)
          ? ' What separates columns is chosen with --delimiter.'
          : `${asLabel}${asLabel === '' ? ` Take it out, or ${drop}.` : ''}`,
    }[kind];
    const unlike = style !== undefined && (style !== 'number' || kind === 'percent' || kind === 'boolean');
    const wanted = unlike ? `a ${style === 'number' ? 'number' : style === 'percent' ? 'percentage' : 'word for true or false'} as in the rows above` : 'a finite number'; // prettier-ignore
    return new DataError(
      `${this.file}: row ${row}, column ${place + 1} ("${names[place]}"): found ${shown}, expected ${wanted}.${hint}`,
    );
  }

  /** Columns that only count the rows, which are learnt as they are named or nothing is. */
  private runningNotes({ features, names }: ChosenColumns): string[] {
    const { rowCount, values } = this;
    const width = features.length;
    if (rowCount < 3 || width < 2) return [];
    return features.flatMap((place, i) => {
      const start = values[i];
      if (start !== 0 && start !== 1) return [];
      for (let row = 1; row < rowCount; row++) if (values[row * width + i] !== start + row) return [];
      return [
        `"${names[place]}" counts the rows: if it measures nothing, leave it out with --drop ${place + 1}`,
      ];
    });
  }
}

function columnsText(count: number): string {
  return count === 1 ? '1 column' : `${count} columns`;
}
