/**
 * Options that set a field of a configuration, as tables of which a command takes those that apply to it: an option is one line here,
 * and is read, explained, and laid over a configuration file from that line alone. What a field may be, its schema says.
 */
import { resolve } from 'node:path';
import { ArgumentError } from '@meanflow/core';
import { checkChoice } from '@meanflow/core/validation';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { LARGEST_IMAGE } from '@meanflow/runs/names';
import type { RunConfig } from '@meanflow/runs/node';
import { optionName } from './option-name.js';
import { names, wholeNumber } from './options.js';

/** An option of a command. */
export interface ConfigOption {
  /** As commander has them, such as `--batch <n>`. */
  readonly flags: string;
  readonly help: string;
  /** The field that it sets, such as `optimizer.learningRate`; undefined for what the command itself looks at. */
  readonly field: string | undefined;
  /** From what was typed; as it is by default. */
  readonly parse?: (text: string) => unknown;
  readonly choices?: readonly string[];
  /** What the field becomes, where that is not what was read: commander knows no null, and of an option without a value only true. */
  readonly value?: (given: unknown) => unknown;
  /** Whether it may be given anew to a run that goes on. */
  readonly resumes?: true;
}

/** An option in a line. @param field that it sets; undefined for what the command itself looks at */
export function option(
  flags: string,
  field: string | undefined,
  help: string,
  more: Pick<ConfigOption, 'parse' | 'choices' | 'value' | 'resumes'> = {},
): ConfigOption {
  return { flags, field, help, ...more };
}

/** The command with these options, in this order. */
export function withOptions(command: Command, options: readonly ConfigOption[]): Command {
  for (const { flags, help, parse, choices } of options) {
    const option = new Option(flags, help);
    if (parse !== undefined) option.argParser(parse);
    if (choices !== undefined) option.choices(choices);
    command.addOption(option);
  }
  return command;
}

/** What commander calls them: `imageSize`. */
export function keysOf(options: readonly ConfigOption[]): readonly string[] {
  return options.map(({ flags }) => new Option(flags).attributeName());
}

interface Settings {
  [field: string]: unknown;
}

/**
 * The fields that were set, as a configuration has them; nothing else.
 *
 * @param values what was given, by commander's names
 * @throws {ArgumentError} when two options set the same field
 */
export function settingsOf(options: readonly ConfigOption[], values: object): Settings {
  const given = new Map<string, unknown>(Object.entries(values));
  const setBy = new Map<string, string>();
  const settings: Settings = {};
  for (const { flags, field, value } of options) {
    const key = new Option(flags).attributeName();
    const found = given.get(key);
    if (field === undefined || found === undefined) continue;
    const other = setBy.get(field) ?? key;
    if (other !== key) {
      throw new ArgumentError(`Give ${optionName(other)} or ${optionName(key)}, not both.`);
    }
    setBy.set(field, key);
    setField(settings, field.split('.'), value === undefined ? found : value(found));
  }
  return settings;
}

function setField(settings: Settings, [key = '', ...deeper]: readonly string[], value: unknown): void {
  if (deeper.length === 0) settings[key] = value;
  else setField((settings[key] ??= {}) as Settings, deeper, value);
}

/** What a model is given of its data. */
export const taskOptions: readonly ConfigOption[] = [
  option(
    '--given <columns>',
    'task',
    'columns of a table that are given, separated by commas: the others are learnt for what these are',
    { parse: (text) => ({ kind: 'given', columns: names(text) }) },
  ),
  option(
    '--task <name>',
    'task',
    'what is given of images: inpaint (what is outside of a rectangle; inpaint:strokes), super-resolution (the image at half its ' +
      'size; super-resolution:4)',
    { parse: imageTask },
  ),
  option(
    '--condition <name=path>',
    'task',
    'images that are given beside those of the data: a folder with an image of the same name for each, or an array with as many rows; ' +
      'for several, names and paths separated by commas',
    { parse: (text) => ({ kind: 'beside', images: imagesBeside(names(text)) }) },
  ),
];

/** How a CSV file is read; what is not given is found out. */
const tableOptions: readonly ConfigOption[] = [
  option(
    '--header',
    'table.header',
    'of a CSV file: the first row names the columns; found out by default, as all of these',
  ),
  option('--no-header', 'table.header', 'of a CSV file: the first row is data'),
  option(
    '--delimiter <sign>',
    'table.delimiter',
    'what separates cells: a character, or comma, semicolon, tab, space, bar',
  ),
  option('--decimal <sign>', 'table.decimal', 'the decimal sign', { choices: ['.', ','] }),
  option('--thousands <sign>', 'table.thousands', 'what stands between groups of three digits, or none'),
  option('--comment <sign>', 'table.comment', 'what lines that are comments begin with, or none'),
  option('--encoding <name>', 'table.encoding', 'such as utf-8, utf-16le, windows-1252'),
  option('--columns <names>', 'table.columns', 'only these columns are learnt, by name or number', {
    parse: names,
  }),
  option('--drop <names>', 'table.drop', 'columns to leave out, by name or number', { parse: names }),
  option(
    '--skip-missing',
    'table.skipMissing',
    'leave out rows with missing values, which are an error otherwise',
  ),
];

/** How a folder of images is read. */
export const folderOptions: readonly ConfigOption[] = [
  option(
    '--image-size <pixels>',
    'images.size',
    "height and width that a folder's images are resized and cropped to",
    { parse: wholeNumber(1, LARGEST_IMAGE) },
  ),
  option(
    '--split-folders <names>',
    'images.splits',
    'the folder of images to learn from and the one to judge by, such as train,valid; "none": all are classes. By default ' +
      'names such as these tell',
    { parse: splitFolders },
  ),
  option('--follow-links', 'images.followLinks', 'follow links in a folder of images'),
  option('--skip-damaged', 'images.skipDamaged', 'leave out images that cannot be decoded, and list them'),
  option(
    '--max-image-bytes <n>',
    'images.maxImageBytes',
    'refuse images whose pixels take more, as their header says; 268435456 by default',
    { parse: wholeNumber(1) },
  ),
];

/** How pictures in an array are read. */
export const pictureOptions: readonly ConfigOption[] = [
  option(
    '--layout <layout>',
    'latents.from',
    'where the channels of an array are; told from its shape by default',
    { choices: ['nchw', 'nhwc'] },
  ),
  option(
    '--pixel-range <range>',
    'latents.range',
    'of pictures in an array: 0 … 255, 0 … 1 or −1 … 1; told from the values by default',
    { choices: ['byte', 'unit', 'signed'] },
  ),
];

/** How data of every kind are read, for commands that learn from them. */
export const dataOptions: readonly ConfigOption[] = [
  ...tableOptions,
  ...folderOptions,
  option('--flip', 'images.flip', 'mirror half of the images that are trained on'),
  option('--crop-padding <pixels>', 'images.cropPadding', 'shift images at random by up to so much', {
    parse: wholeNumber(0, LARGEST_IMAGE),
  }),
  ...pictureOptions,
  option('--read-as <what>', 'latents.readAs', 'what an array of a file holds; told from it by default', {
    choices: ['latents', 'pictures'],
  }),
  option(
    '--latent-form <form>',
    'latents.form',
    'what the channels of latents are; told from them by default',
    { choices: ['values', 'log-variance', 'deviation'] },
  ),
  option(
    '--latent-scale <scale>',
    'latents.scale',
    'how latents are brought to a range; meanflow (× 0.18215) by default',
    { choices: ['meanflow', 'improved-meanflow', 'none'] },
  ),
];

/** How data are to be read, where a command has a part of these options; the schema of each is what its option takes. */
export function dataSettings(values: object): Pick<RunConfig, 'table' | 'images' | 'latents'> {
  return settingsOf(dataOptions, values);
}

/** What to compute on. */
export const backendOption = option(
  '--backend <name>',
  'backend',
  'what to compute on, such as ort:cpu; see "meanflow doctor"',
  { resumes: true },
);

function splitFolders(text: string): readonly string[] | 'none' {
  if (text === 'none') return text;
  const folders = names(text);
  if (folders.length > 2) {
    throw new InvalidArgumentError(
      `Expected the folder to learn from and the folder to judge by, such as train,valid, or none, got ${text}.`,
    );
  }
  return folders;
}

/** `inpaint:strokes`, `super-resolution:4`: a task of images, and what is particular to it. */
function imageTask(text: string): object {
  const [kind = '', detail] = text.split(':');
  checkChoice('--task', kind, ['inpaint', 'super-resolution']);
  if (detail === undefined) return { kind };
  return kind === 'inpaint' ? { kind, mask: detail } : { kind, factor: Number(detail) };
}

/** Paths by name. They are kept whole: a run is gone on with from anywhere. */
function imagesBeside(named: readonly string[]): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const each of named) {
    const [, name, path] = /^([^=]+)=(.+)$/.exec(each) ?? [];
    if (name === undefined || path === undefined) {
      throw new ArgumentError(`--condition: expected name=path, such as sketch=sketches, got "${each}".`);
    }
    if (Object.hasOwn(found, name)) throw new ArgumentError(`--condition: "${name}" is given twice.`);
    found[name] = resolve(path);
  }
  return found;
}
