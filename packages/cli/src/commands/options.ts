/** Options that several commands share, and how their values are read. */
import { printable } from '@meanflow/core';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { LARGEST_IMAGE, MOST_EVALUATIONS } from '@meanflow/runs/names';
import type { ImageSettings, LatentSettings, TableSettings } from '@meanflow/runs/node';

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

/** `--backend`, the same for every command that computes. */
export function withBackend(command: Command): Command {
  return command.option('--backend <name>', 'what to compute on, such as ort:cpu; see "meanflow doctor"');
}

/** How a folder of images is read. */
export interface FolderOptions {
  readonly imageSize?: number;
  readonly splitFolders?: ImageSettings['splits'];
  readonly followLinks?: boolean;
  readonly skipDamaged?: boolean;
  readonly maxImageBytes?: number;
}

/** Their names as commander keeps them. */
export const folderOptionNames = [
  'imageSize',
  'splitFolders',
  'followLinks',
  'skipDamaged',
  'maxImageBytes',
] as const satisfies readonly (keyof FolderOptions)[];

/** What is done to images that are given by path. */
export interface ImageOptions extends FolderOptions {
  readonly flip?: boolean;
  readonly cropPadding?: number;
}

/** The options of folders of images, the same for every command that opens them. */
export function withFolders(command: Command): Command {
  return command
    .option(
      '--image-size <pixels>',
      "height and width that a folder's images are resized and cropped to",
      wholeNumber(1, LARGEST_IMAGE),
    )
    .option(
      '--split-folders <names>',
      'the folder of images to learn from and the one to judge by, such as train,valid; "none": all are classes. By default ' +
        'names such as these tell',
      splitFolders,
    )
    .option('--follow-links', 'follow links in a folder of images')
    .option('--skip-damaged', 'leave out images that cannot be decoded, and list them')
    .option(
      '--max-image-bytes <n>',
      'refuse images whose pixels take more, as their header says; 268435456 by default',
      wholeNumber(1),
    );
}

/** The options of images, the same for every command that learns from them. */
export function withImages(command: Command): Command {
  return withFolders(command)
    .option('--flip', 'mirror half of the images that are trained on')
    .option(
      '--crop-padding <pixels>',
      'shift images at random by up to so much',
      wholeNumber(0, LARGEST_IMAGE),
    );
}

/** These options as a configuration has them; undefined where none was given. */
export function imageSettings(options: ImageOptions): ImageSettings | undefined {
  const { imageSize: size, splitFolders: splits, followLinks, skipDamaged, maxImageBytes } = options;
  const { flip, cropPadding } = options;
  const settings = { size, splits, followLinks, skipDamaged, maxImageBytes, flip, cropPadding };
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : (Object.fromEntries(given) as ImageSettings);
}

/** How an array of latents or pictures is read. */
export interface ArrayReading {
  readonly readAs?: LatentSettings['readAs'];
  readonly layout?: LatentSettings['from'];
  readonly latentForm?: LatentSettings['form'];
  readonly latentScale?: LatentSettings['scale'];
  readonly pixelRange?: LatentSettings['range'];
}

/** How pictures in an array are read. */
export type PictureReading = Pick<ArrayReading, 'layout' | 'pixelRange'>;

/** The options of files of arrays, for commands that learn from them. */
export function withArrays(command: Command): Command {
  return withPictures(command)
    .addOption(
      new Option('--read-as <what>', 'what an array of a file holds; told from it by default').choices([
        'latents',
        'pictures',
      ]),
    )
    .addOption(
      new Option(
        '--latent-form <form>',
        'what the channels of latents are; told from them by default',
      ).choices(['values', 'log-variance', 'deviation']),
    )
    .addOption(
      new Option(
        '--latent-scale <scale>',
        'how latents are brought to a range; meanflow (× 0.18215) by default',
      ).choices(['meanflow', 'improved-meanflow', 'none']),
    );
}

/** The options of pictures in arrays. */
export function withPictures(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--layout <layout>',
        'where the channels of an array are; told from its shape by default',
      ).choices(['nchw', 'nhwc']),
    )
    .addOption(
      new Option(
        '--pixel-range <range>',
        'of pictures in an array: 0 … 255, 0 … 1 or −1 … 1; told from the values by default',
      ).choices(['byte', 'unit', 'signed']),
    );
}

/** These options as a configuration has them; undefined where none was given. */
export function latentSettings(options: ArrayReading): LatentSettings | undefined {
  const { readAs, layout: from, latentForm: form, latentScale: scale, pixelRange: range } = options;
  const given = Object.entries({ readAs, from, form, scale, range }).filter(
    ([, value]) => value !== undefined,
  );
  return given.length === 0 ? undefined : (Object.fromEntries(given) as LatentSettings);
}

function splitFolders(text: string): NonNullable<ImageSettings['splits']> {
  if (text === 'none') return 'none';
  const [train = '', test, ...more] = names(text);
  if (more.length > 0) {
    throw new InvalidArgumentError(
      `Expected the folder to learn from and the folder to judge by, such as train,valid, or none, got ${text}.`,
    );
  }
  return test === undefined ? [train] : [train, test];
}

/** How a CSV file is read; what is not given is found out. */
export interface TableOptions {
  readonly header?: boolean;
  readonly delimiter?: string;
  readonly decimal?: '.' | ',';
  readonly thousands?: string;
  readonly comment?: string;
  readonly encoding?: string;
  readonly columns?: readonly string[];
  readonly drop?: readonly string[];
  readonly skipMissing?: true;
}

/** Their names as commander keeps them. */
export const tableOptionNames = [
  'header',
  'delimiter',
  'decimal',
  'thousands',
  'comment',
  'encoding',
  'columns',
  'drop',
  'skipMissing',
] as const satisfies readonly (keyof TableOptions)[];

/** The options of CSV files, the same for every command that reads them. */
export function withTable(command: Command): Command {
  return command
    .option(
      '--header',
      'of a CSV file: the first row names the columns; found out by default, as all of these',
    )
    .option('--no-header', 'of a CSV file: the first row is data')
    .option('--delimiter <sign>', 'what separates cells: a character, or comma, semicolon, tab, space, bar')
    .addOption(new Option('--decimal <sign>', 'the decimal sign').choices(['.', ',']))
    .option('--thousands <sign>', 'what stands between groups of three digits, or none')
    .option('--comment <sign>', 'what lines that are comments begin with, or none')
    .option('--encoding <name>', 'such as utf-8, utf-16le, windows-1252')
    .option('--columns <names>', 'only these columns are learnt, by name or number', names)
    .option('--drop <names>', 'columns to leave out, by name or number', names)
    .option('--skip-missing', 'leave out rows with missing values, which are an error otherwise');
}

/** These options as a configuration has them; undefined where none was given. */
export function tableSettings(options: TableOptions): TableSettings | undefined {
  const given = tableOptionNames.flatMap((name) =>
    options[name] === undefined ? [] : [[name, options[name]] as const],
  );
  return given.length === 0 ? undefined : (Object.fromEntries(given) as TableSettings);
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
