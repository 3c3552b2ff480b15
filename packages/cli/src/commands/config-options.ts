/**
 * Options that set a field of a configuration, as tables of which a command takes those that apply to it: an option is one line here,
 * and is read, explained, and laid over a configuration file from that line alone. What a field may be, its schema says.
 */
import { ArgumentError } from '@meanflow/core';
import type { FieldPath, ValueSource } from '@meanflow/core/validation';
import type { SettingsLayer } from '@meanflow/runs/node';
import { Option, type Command } from 'commander';
import { optionName } from './option-name.js';

/** An option of a command. */
export interface ConfigOption {
  /** As commander has them, such as `--batch <n>`. */
  readonly flags: string;
  readonly help: string;
  /** The field that it sets, such as `optimizer.learningRate`; undefined for what the command itself looks at. */
  readonly field: string | undefined;
  /** From what was typed, and what came of it when it was given before; as it is by default. */
  readonly parse?: (text: string, before?: unknown) => unknown;
  readonly choices?: readonly string[];
  /** What the field becomes, where that is not what was read: commander knows no null, and of an option without a value only true. */
  readonly value?: (given: unknown) => unknown;
  /** Whether it may be given anew to a run that goes on. */
  readonly resumes?: true;
  /** What it stands under in the help; among the first options by default. */
  readonly heading?: string;
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

/** The same options under a heading of the help. */
export function under(heading: string, options: readonly ConfigOption[]): readonly ConfigOption[] {
  return options.map((each) => ({ ...each, heading }));
}

/** The command with these options, in this order, under their headings. */
export function withOptions(command: Command, options: readonly ConfigOption[]): Command {
  for (const { flags, help, parse, choices, heading } of options) {
    const option = new Option(flags, help);
    if (heading !== undefined) option.helpGroup(`${heading}:`);
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

/** What is called by a name in messages, and the field that it sets, by names of fields and `[2]` for elements of lists. */
interface Assigned {
  readonly source: string;
  readonly keys: readonly string[];
  readonly value: unknown;
}

interface Settings {
  [field: string]: unknown;
}

/** The fields that were set, as a configuration has them; nothing else. @param values what was given, by commander's names */
export function settingsOf(options: readonly ConfigOption[], values: object): Settings {
  return assigned(assignments(options, values)).record;
}

/**
 * The same with where each field was set, for messages.
 *
 * @param others that were set beside, by `--set`
 * @throws {ArgumentError} when the same field is set twice
 */
export function layerOf(
  options: readonly ConfigOption[],
  values: object,
  others: readonly Assigned[] = [],
): SettingsLayer {
  return assigned([...assignments(options, values), ...others]);
}

/** What options set; `--seeds` and `--seed`, which set the same, are two of them. */
function assignments(options: readonly ConfigOption[], values: object): readonly Assigned[] {
  const given = new Map<string, unknown>(Object.entries(values));
  return options.flatMap(({ flags, field, value }) => {
    const key = new Option(flags).attributeName();
    const found = given.get(key);
    if (field === undefined || found === undefined) return [];
    const source = found === false ? optionName(key).replace('--', '--no-') : optionName(key);
    return [{ source, keys: field.split('.'), value: value === undefined ? found : value(found) }];
  });
}

function assigned(all: readonly Assigned[]): { readonly record: Settings; readonly source: ValueSource } {
  const record: Settings = {};
  const setBy = new Map<string, Assigned>();
  for (const each of all) {
    const { source, keys, value } = each;
    const other = [...setBy.values()].find((before) => overlap(before.keys, keys));
    if (other !== undefined && other.source !== source) {
      throw new ArgumentError(`Give ${other.source} or ${source}, not both.`);
    }
    if (other !== undefined && other.value !== value) throw new ArgumentError(`${source} is given twice.`);
    setField(record, keys, value);
    setBy.set(keys.join('.'), each);
  }
  const partOf = (path: FieldPath): string | undefined =>
    path
      .map((_, i) => setBy.get(keyOf(path.slice(0, path.length - i)))?.source)
      .find((source) => source !== undefined);
  return { record, source: { toString: () => 'The options', partOf } };
}

function keyOf(path: FieldPath): string {
  return path.map((key) => (typeof key === 'number' ? `[${key}]` : String(key))).join('.');
}

/** Whether a field is another, or within it. */
function overlap(one: readonly string[], other: readonly string[]): boolean {
  const [shorter, longer] = one.length < other.length ? [one, other] : [other, one];
  return shorter.every((key, i) => key === longer[i]);
}

function setField(settings: Settings, [key = '', ...deeper]: readonly string[], value: unknown): void {
  if (deeper.length === 0) settings[key] = value;
  else setField((settings[key] ??= {}) as Settings, deeper, value);
}

/** What to compute on. */
export const backendOption = option(
  '--backend <name>',
  'backend',
  'what to compute on, such as ort:cpu (see "meanflow doctor"), or a module that opens a backend of your own, such as ./mine.mjs',
  { resumes: true },
);
