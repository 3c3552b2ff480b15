/**
 * The check of objects that others write (entries of registries, plug-ins): that each field is there, is of its kind, and is one
 * that there is. A field that is passed over without a word would be one that was meant.
 */
import { checkOptions, type OptionNames } from './check-options.js';
import { describeValue } from './describe-value.js';
import { ArgumentError } from './errors.js';

/** What a terminal would obey; lines may break. */
const CONTROL = /[^\P{Cc}\n\t]/u;

const kinds = {
  text: (value: unknown) => typeof value === 'string' && value !== '' && !CONTROL.test(value),
  words: (value: unknown) => typeof value === 'string' && !CONTROL.test(value),
  flag: (value: unknown) => typeof value === 'boolean',
  function: (value: unknown) => typeof value === 'function',
  list: (value: unknown) => Array.isArray(value),
  object: (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value),
  any: () => true,
};
const names: Readonly<Record<keyof typeof kinds, string>> = {
  text: 'text without control characters',
  words: 'text without control characters, or none',
  flag: 'true or false',
  function: 'a function',
  list: 'a list',
  object: 'an object',
  any: 'a value',
};

/** What a field holds; with `?` it may be left out. */
export type FieldKind = keyof typeof kinds | `${keyof typeof kinds}?`;

/** The kind of every field of an interface; leaving one out does not compile. */
export type FieldKinds<T> = { readonly [Name in keyof Required<T>]: FieldKind };

/**
 * @param what whose fields they are, such as `The network "film"`
 * @throws {ArgumentError} naming a field that is unknown, missing or of another kind
 */
export function checkFields<T extends object>(what: string, value: T, fields: FieldKinds<T>): void {
  const known = Object.fromEntries(Object.keys(fields).map((name) => [name, true]));
  checkOptions(what, value, known as OptionNames<T>);
  for (const [name, kind] of Object.entries<FieldKind>(fields)) {
    const given = value[name as keyof T];
    const [isOptional, plain] = [kind.endsWith('?'), kind.replace('?', '') as keyof typeof kinds];
    if ((isOptional && given === undefined) || (given !== undefined && kinds[plain](given))) continue;
    throw new ArgumentError(`${what}: ${name} is ${names[plain]}, got ${describeValue(given)}.`);
  }
}
