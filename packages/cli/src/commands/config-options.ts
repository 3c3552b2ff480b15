/**
 * Options that set a field of a configuration, as tables of which a command takes those that apply to it: an option is one line here,
 * and is read, explained, and laid over a configuration file from that line alone. What a field may be, its schema says.
 */
import { ArgumentError } from '@meanflow/core';
import { Option, type Command } from 'commander';
import { optionName } from './option-name.js';

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

/** What to compute on. */
export const backendOption = option(
  '--backend <name>',
  'backend',
  'what to compute on, such as ort:cpu; see "meanflow doctor"',
  { resumes: true },
);
