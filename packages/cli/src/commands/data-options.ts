/** Options that say how data are read, and what a model is given of them: fields of a configuration, for every command that opens data. */
import { resolve } from 'node:path';
import { ArgumentError } from '@meanflow/core';
import { checkChoice } from '@meanflow/core/validation';
import { InvalidArgumentError } from 'commander';
import { LARGEST_IMAGE } from '@meanflow/runs/names';
import type { RunConfig } from '@meanflow/runs/node';
import { type ConfigOption, option, settingsOf, under } from './config-options.js';
import { names, wholeNumber } from './options.js';

/** What is above the options of conditions. */
export const GIVEN = 'What the model is given';

/** What a model is told of a table's rows. */
export const labelOption: ConfigOption = {
  ...option(
    '--label <column>',
    'label',
    'the column of a CSV file that holds the class: its name or its number',
  ),
  heading: GIVEN,
};

/** What a model is given of its data. */
export const taskOptions = under(GIVEN, [
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
]);

/** How a CSV file is read; what is not given is found out. */
const tableOptions = under('CSV files', [
  option(
    '--header',
    'table.header',
    'the first row names the columns; found out by default, as all of these',
  ),
  option('--no-header', 'table.header', 'the first row is data'),
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
]);

/** How a folder of images is read. */
export const folderOptions = under('Images', [
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
]);

/** How pictures in an array are read. */
export const pictureOptions = under('Latents, and pictures in arrays', [
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
]);

/** How images are changed at every use. */
const augmentationOptions = under('Images', [
  option('--flip', 'images.flip', 'mirror half of the images that are trained on'),
  option('--crop-padding <pixels>', 'images.cropPadding', 'shift images at random by up to so much', {
    parse: wholeNumber(0, LARGEST_IMAGE),
  }),
]);

/** How latents in an array are read. */
const latentOptions = under('Latents, and pictures in arrays', [
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
]);

/** How data of every kind are read, for commands that learn from them. */
export const dataOptions: readonly ConfigOption[] = [
  ...tableOptions,
  ...folderOptions,
  ...augmentationOptions,
  ...pictureOptions,
  ...latentOptions,
];

/** How data are to be read, where a command has a part of these options; the schema of each is what its option takes. */
export function dataSettings(values: object): Pick<RunConfig, 'table' | 'images' | 'latents'> {
  return settingsOf(dataOptions, values);
}

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
