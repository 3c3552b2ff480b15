/** Options that several commands share, and how their values are read. */
import { printable } from '@meanflow/core/validation';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { MOST_EVALUATIONS } from '@meanflow/runs/names';

/** A whole number from `least`, up to `most` where it has a bound. */
export function wholeNumber(least: number, most = Infinity): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < least || value > most) {
      const range = most === Infinity ? `from ${least}` : `from ${least} to ${most}`;
      throw new InvalidArgumentError(
        `Expected a whole number ${range}, got ${text.trim() === '' ? 'nothing' : printable(text)}.`,
      );
    }
    return value;
  };
}

/** Whole numbers from `least` to `most`, separated by commas, each once. */
export function wholeNumbers(least: number, most = Infinity): (text: string) => number[] {
  return (text) => unique(text.split(',').map((part) => wholeNumber(least, most)(part.trim())));
}

/** `--nfe`: evaluations of the network for each sample. */
export const evaluations = wholeNumber(1, MOST_EVALUATIONS);

/** Several of them. */
export const evaluationCounts = wholeNumbers(1, MOST_EVALUATIONS);

/** Names separated by commas, each once. */
export function names(text: string): string[] {
  const found = text.split(',').map((part) => part.trim());
  if (found.includes(''))
    throw new InvalidArgumentError(`Expected names separated by commas, got "${text}".`);
  return unique(found);
}

/** Rows and columns of a picture. */
export interface Grid {
  readonly rows: number;
  readonly columns: number;
}

/** More images than this make no picture that anyone could look at. */
const LARGEST_GRID = 10_000;

/** A grid's size, such as `8x8`: rows, then columns. */
export function grid(text: string): Grid {
  const [, rows, columns] = /^([1-9]\d*)[x×]([1-9]\d*)$/.exec(text) ?? [];
  if (rows === undefined || Number(rows) * Number(columns) > LARGEST_GRID) {
    throw new InvalidArgumentError(
      `Expected rows x columns such as 8x8, at most ${LARGEST_GRID} images, got ${text}.`,
    );
  }
  return { rows: Number(rows), columns: Number(columns) };
}

/** A share that may be nothing: a number from 0, below 1. */
export function shareOrNone(text: string): number {
  return text.trim() !== '' && Number(text) === 0 ? 0 : share(text);
}

/** A share: a number between 0 and 1, neither of them. */
export function share(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1))
    throw new InvalidArgumentError(`Expected a number between 0 and 1, got ${text}.`);
  return value;
}

/** Numbers from 0 on, separated by commas, each once. */
export function nonNegatives(text: string): number[] {
  return unique(text.split(',').map((part) => nonNegative(part.trim())));
}

/** A number from 0 on. */
export function nonNegative(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < Infinity)) {
    throw new InvalidArgumentError(`Expected a number from 0, got ${text}.`);
  }
  return value;
}

/** A number above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) {
    throw new InvalidArgumentError(`Expected a number above 0, got ${text}.`);
  }
  return value;
}

/** Two times `from,to` with 0 ≤ from ≤ to ≤ 1. */
export function timeInterval(text: string): readonly [number, number] {
  const parts = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  const [from = NaN, to = NaN] = parts;
  if (parts.length !== 2 || !(from >= 0 && from <= to && to <= 1)) {
    throw new InvalidArgumentError(`Expected two times from 0 to 1 such as 0.4,0.65, got ${text}.`);
  }
  return [from, to];
}

/** The options of guidance, for commands that sample. */
export function withGuidanceOptions(command: Command): Command {
  return command
    .option(
      '--guidance <scale>',
      'guidance scale ω, where the model was trained for it; 1 is none. Published models have that of their evaluation',
      nonNegative,
    )
    .addOption(guidanceInterval());
}

/** `--guidance-interval`, the same for every command that samples. */
export function guidanceInterval(): Option {
  return new Option('--guidance-interval <from,to>', 'times between which guidance applies').argParser(
    timeInterval,
  );
}

/** How often samples have each class: as often as the data has it, or all alike. */
export const labelChoices = ['data', 'uniform'] as const;
export type LabelChoice = (typeof labelChoices)[number];

/** `--average`, for commands that sample a run. */
export function averageOption(): Option {
  return new Option(
    '--average <name>',
    'of a run: the average of the parameters to sample with, by its decay or half-life, or "none"; as the run says by default',
  );
}

/** `--force`, for commands that write a file of their user's. */
export function forceOption(): Option {
  return new Option('--force', 'overwrite a file that is there, without asking');
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
