/** `--given`, `--task` and `--condition`: what a model is given of its data, the same for every command that trains. */
import type { Command } from 'commander';
import { names } from './options.js';

export interface TaskOptions {
  readonly given?: readonly string[];
  readonly task?: string;
  readonly condition?: readonly string[];
}

/** Their names as commander keeps them. */
export const taskOptionNames = [
  'given',
  'task',
  'condition',
] as const satisfies readonly (keyof TaskOptions)[];

export function withTasks(command: Command): Command {
  return command
    .option(
      '--given <columns>',
      'columns of a table that are given, separated by commas: the others are learnt for what these are',
      names,
    )
    .option(
      '--task <name>',
      'what is given of images: inpaint (what is outside of a rectangle; inpaint:strokes), super-resolution (the image at half its ' +
        'size; super-resolution:4)',
    )
    .option(
      '--condition <name=path>',
      'images that are given beside those of the data: a folder with an image of the same name for each, or an array with as many rows; ' +
        'for several, names and paths separated by commas',
      names,
    );
}
