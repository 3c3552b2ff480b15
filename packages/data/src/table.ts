/**
 * Table: rows of numeric columns, and optionally a class for each row, out of delimited text as people and programs write it. How
 * it is written is found out and noted; an option overrides each guess. Values stay in the source's units, in float64.
 */
import { CsvReader } from './tables/csv-reader.js';
import { type ColumnOptions } from './tables/columns.js';
import { detectDialect, type Dialect, type DialectOptions } from './tables/dialect.js';
import { TableBuilder } from './tables/table-builder.js';

/** One column of a source, as samples are written. */
export type TableColumn =
  | {
      readonly kind: 'feature';
      readonly name: string;
      /** Whether all of its values are whole numbers. */
      readonly integer: boolean;
      /** The words for 0 and 1 of a column that has such. */
      readonly words?: readonly [string, string] | undefined;
      /** Whether it is given, and the others are learnt for what it is. */
      readonly given?: boolean | undefined;
    }
  /** The same in all rows that were learnt from. */
  | { readonly kind: 'constant'; readonly name: string; readonly value: number }
  | { readonly kind: 'label'; readonly name: string };

/** How a table was read: the options that give the same table again, whatever else is guessed in time to come. */
export interface TableReading extends DialectOptions, Omit<ColumnOptions, 'label'> {
  /** Whether the first row names the columns. */
  readonly header?: boolean | undefined;
  /** Whether rows with missing values are left out; false by default: they are an error. */
  readonly skipMissing?: boolean | undefined;
  /** The text's encoding, such as `utf-8`, `utf-16le` or `windows-1252`. */
  readonly encoding?: string | undefined;
}

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
  /** The columns that are learnt and the label, in the source's order. */
  readonly layout?: readonly TableColumn[] | undefined;
  /** How it was read. */
  readonly reading?: TableReading | undefined;
  /** What was taken for granted, as phrases for people. */
  readonly notes?: readonly string[] | undefined;
}

export interface TableOptions extends Omit<TableReading, 'encoding'>, Pick<ColumnOptions, 'label'> {
  /** The file's name, for messages. */
  readonly file: string;
}

/** Numbers between commas and nothing else, for files that are known. */
export const plainTable = {
  header: false,
  delimiter: ',',
  decimal: '.',
  thousands: 'none',
  comment: 'none',
} as const;

/** Characters at the beginning of a text by which its dialect is found. */
export const DECIDING_TEXT = 2 ** 20;

/**
 * A table from delimited text.
 *
 * @throws {DataError} naming file, row and column, what was found and what was expected: no data, ragged rows, a cell
 *   that is not a finite number, a column that is not there, empty labels, as many classes as rows, and what can be read in two ways
 */
export function parseTable(text: string, options: TableOptions): Table {
  const reader = new TableReader(options);
  reader.push(text.replace(/^\ufeff/, ''), true);
  return reader.finish();
}

/** Reads a table from text that comes in pieces. */
export class TableReader {
  private head = '';
  private dialect: Dialect | undefined;
  private reader: CsvReader | undefined;
  private builder: TableBuilder | undefined;
  private endsInReturn = false;

  constructor(private readonly options: TableOptions) {}

  /** @param isLast whether nothing comes after this text. @throws as `parseTable` */
  push(piece: string, isLast: boolean): void {
    const text = this.withNewlines(piece);
    if (this.reader !== undefined) {
      this.reader.push(text, isLast);
      return;
    }
    this.head += text;
    if (!isLast && this.head.length < DECIDING_TEXT) return;
    const cut = this.head.length <= DECIDING_TEXT ? -1 : this.head.lastIndexOf('\n', DECIDING_TEXT);
    this.begin(cut < 0 ? this.head : this.head.slice(0, cut + 1)).push(this.head, isLast);
    this.head = '';
  }

  /** @throws as `parseTable` */
  finish(): Table {
    const { file, columns: askedColumns, skipMissing } = this.options;
    const dialect = this.dialect!;
    const { header, columns, features, rowCount, values, classes, notes } = this.builder!.finish();
    const { names, features: places, dropped } = columns;
    const layout = names.flatMap((name, place): TableColumn[] => {
      if (place === columns.label) return [{ kind: 'label', name }];
      const i = places.indexOf(place);
      if (i < 0) return [];
      const { isInteger: integer, style, words } = features[i]!;
      const spelt = style === 'boolean' && words[0] !== undefined && words[1] !== undefined;
      return [{ kind: 'feature', name, integer, ...(spelt ? { words: [words[0]!, words[1]!] } : {}) }];
    });
    const reading: TableReading = {
      delimiter: dialect.delimiter,
      decimal: dialect.numbers.decimal,
      thousands: dialect.numbers.thousands ?? 'none',
      comment: dialect.comment ?? 'none',
      header,
      ...(askedColumns === undefined
        ? { drop: dropped.map((place) => place + 1) }
        : { columns: askedColumns }),
      ...(skipMissing ? { skipMissing } : {}),
    };
    return {
      file,
      columns: places.map((place) => names[place]!),
      rowCount,
      values,
      labels: classes?.labels,
      classNames: classes?.names,
      layout,
      reading,
      notes,
    };
  }

  private begin(head: string): CsvReader {
    const { file } = this.options;
    const dialect = detectDialect(head, file, this.options);
    const builder = new TableBuilder(file, dialect, this.options);
    let rows = 0;
    const reader = new CsvReader(file, dialect.delimiter, (row) => {
      if (rows++ >= dialect.skipped) builder.add(row);
    });
    [this.dialect, this.builder, this.reader] = [dialect, builder, reader];
    return reader;
  }

  /** With `\n` at the end of every line, whichever of `\r\n`, `\r` and `\n` the source has. */
  private withNewlines(piece: string): string {
    // A pair may lie across two pieces.
    const text = this.endsInReturn && piece.startsWith('\n') ? piece.slice(1) : piece;
    if (piece !== '') this.endsInReturn = piece.endsWith('\r');
    return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
  }
}
