/**
 * Which columns of a table are learnt, which one holds the class, and which are left out: by name or number where they are
 * asked for, else all but a first column without a name, which holds the names or numbers of rows.
 */
import { ArgumentError, DataError } from '@meanflow/core';
import { didYouMean } from '@meanflow/core/validation';

/** A column by its name in the header, or its number counted from 1. */
export type ColumnChoice = string | number;

export interface ColumnOptions {
  /** The label column. */
  readonly label?: ColumnChoice | undefined;
  /** The columns to learn; all by default. */
  readonly columns?: readonly ColumnChoice[] | undefined;
  /** Columns to leave out, besides a first one without a name; an empty list leaves out none. */
  readonly drop?: readonly ColumnChoice[] | undefined;
}

/** What becomes of each column. */
export interface ChosenColumns {
  /** A name for each, whether the source has one or not. */
  readonly names: readonly string[];
  /** Places of the columns to learn, ascending. */
  readonly features: readonly number[];
  /** Place of the label column. */
  readonly label: number | undefined;
  /** Places of those that are left out. */
  readonly dropped: readonly number[];
  readonly notes: readonly string[];
}

/** Names that libraries give to a column without a name when they read it: the index of a table that was written before. */
const INDEX_NAMES = /^(unnamed: 0(\.\d+)?|\.\.\.1)$/i;

/**
 * @param header as in the source; undefined where it has none
 * @param width columns of the source
 * @throws {DataError} when a column is not there
 * @throws {ArgumentError} when nothing is left to learn, or what is asked for contradicts itself
 */
export function chooseColumns(
  header: readonly string[] | undefined,
  width: number,
  file: string,
  options: ColumnOptions,
): ChosenColumns {
  const names = Array.from({ length: width }, (_, i) => header?.[i] || `column ${i + 1}`);
  const find = (choice: ColumnChoice, what: string): number => findColumn(choice, header, names, file, what);
  const label = options.label === undefined ? undefined : find(options.label, 'label column');
  const kept = options.columns && new Set(options.columns.map((choice) => find(choice, 'column')));
  const dropped = new Set(options.drop?.map((choice) => find(choice, 'column')));
  const contradiction = [...dropped].find((i) => i === label || kept?.has(i));
  if (contradiction !== undefined) {
    throw new ArgumentError(
      `${file}: the column "${names[contradiction]}" is asked for, and to be left out.`,
    );
  }
  const notes: string[] = [];
  const isIndex =
    options.drop?.length !== 0 &&
    header !== undefined &&
    width > 1 &&
    (header[0] === '' || INDEX_NAMES.test(header[0]!));
  if (isIndex && kept === undefined && label !== 0 && !dropped.has(0)) {
    dropped.add(0);
    notes.push('column 1 left out: it has no name, as names and numbers of rows have none');
  } else if (dropped.size > 0) {
    notes.push(`left out: ${[...dropped].map((i) => names[i]).join(', ')}`);
  }
  const seen = new Set<string>();
  const twice = header?.find((name) => name !== '' && (seen.has(name) || !seen.add(name)));
  if (twice !== undefined) notes.push(`several columns are called "${twice}"`);
  const features = names
    .map((_, i) => i)
    .filter((i) => i !== label && !dropped.has(i) && (kept === undefined || kept.has(i)));
  if (features.length === 0) {
    throw new DataError(
      label === undefined
        ? `${file}: no column is left to learn.`
        : `${file}: found the label column only, expected at least one column of numbers beside it.`,
    );
  }
  const left = names.map((_, i) => i).filter((i) => i !== label && !features.includes(i));
  return { names, features, label, dropped: left, notes };
}

/** Place of a column. A name in the header goes before a number. */
function findColumn(
  choice: ColumnChoice,
  header: readonly string[] | undefined,
  names: readonly string[],
  file: string,
  what: string,
): number {
  const text = String(choice);
  const named = header?.indexOf(text) ?? -1;
  if (named >= 0) {
    if (header!.indexOf(text, named + 1) < 0) return named;
    throw new DataError(
      `${file}: several columns are called "${text}": name the ${what} by its number, counted from 1.`,
    );
  }
  if (/^[+-]?\d+(\.\d+)?$/.test(text)) {
    const position = Number(text);
    if (Number.isInteger(position) && position >= 1 && position <= names.length) return position - 1;
    throw new DataError(`${file}: there is no ${what} ${text}, expected a number from 1 to ${names.length}.`);
  }
  if (header === undefined) {
    throw new DataError(
      `${file}: there is no header to find the ${what} "${text}" in, expected its number, 1 to ${names.length}.`,
    );
  }
  const known = names.map((name) => `"${name}"`).join(', ');
  throw new DataError(`${file}: there is no ${what} "${text}", found ${known}.${didYouMean(text, names)}`);
}
