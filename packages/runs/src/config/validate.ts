/**
 * From parsed JSON to a checked configuration. Every problem is named by the path of its field and says what was found and what is
 * expected; an unknown key or name comes with the nearest right one.
 */
import { ArgumentError, type DataError, didYouMean, printableJson, quoted } from '@meanflow/core';
import { z } from 'zod';
import { fieldPath, type FieldPath } from './field-path.js';
import type { ConfigSource } from './read-file.js';

/** How many problems an error lists, and how many keys one of them. */
const LISTED = 5;

/**
 * The value, checked and typed.
 *
 * @param source where it was written, for messages: a file, which may know the lines of its fields, or the command line
 * @param Failure what is thrown: an ArgumentError for what a user wrote, a DataError for what a program did
 * @throws {ArgumentError | DataError} naming up to five fields that are wrong
 */
export function validate<T>(
  schema: z.ZodType<T>,
  value: unknown,
  source: string | ConfigSource,
  Failure: typeof ArgumentError | typeof DataError = ArgumentError,
): T {
  const result = schema.safeParse(value, { error: explain });
  if (result.success) return result.data;
  const { issues } = result.error;
  const problems = issues
    .slice(0, LISTED)
    .map((issue) => `${placeOf(source, issue.path as FieldPath, unknownKey(issue))}${issue.message}`);
  if (issues.length > LISTED) problems.push(`and ${issues.length - LISTED} more.`);
  throw new Failure(
    problems.length === 1 ? `${source}: ${problems[0]}` : `${source}:\n  ${problems.join('\n  ')}`,
  );
}

/** The key that a problem is about, where it stands in the object that has the problem. */
function unknownKey(issue: z.core.$ZodIssue): FieldPath {
  return issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
}

/**
 * A field with its line, where the file has it: `network.width (line 3): `.
 *
 * @param within what in the field it is about, for the line
 */
export function placeOf(source: string | ConfigSource, path: FieldPath, within: FieldPath = []): string {
  const line = typeof source === 'string' ? undefined : source.lineOf([...path, ...within]);
  const field = fieldPath(path);
  if (line === undefined) return field;
  return field === '' ? `line ${line}: ` : `${field.slice(0, -2)} (line ${line}): `;
}

/** The sentence for a problem; undefined leaves it to Zod. */
function explain(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape) : [];
      const [first, ...rest] = issue.keys;
      const listed = rest.slice(0, LISTED).map((key) => quoted(key));
      const more = rest.length > LISTED ? `, and ${rest.length - LISTED} more` : '';
      const others = rest.length === 0 ? '' : ` Neither are there ${listed.join(', ')}${more}.`;
      return `there is no field ${quoted(first)}.${didYouMean(first, known)}${others} Known are ${known.join(', ')}.`;
    }
    case 'invalid_value':
      return nameProblem(issue.input, (issue.values as readonly unknown[]).map(String));
    case 'invalid_union': {
      if (issue.discriminator === undefined) return undefined;
      const { input } = issue;
      const isObject = typeof input === 'object' && input !== null;
      if (!isObject) return `expected an object, got ${found(input)}.`;
      const given = (input as Record<string, unknown>)[issue.discriminator];
      return nameProblem(given, ((issue.options ?? []) as readonly unknown[]).map(String));
    }
    case 'invalid_type':
      return `expected ${typeNames[issue.expected] ?? issue.expected}, got ${found(issue.input)}.`;
    case 'too_small':
      if (issue.origin === 'array')
        return `expected at least ${issue.minimum} of them, got ${found(issue.input)}.`;
      if (issue.origin === 'string') return 'expected some text, got nothing.';
      return `expected ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}, got ${found(issue.input)}.`;
    case 'too_big':
      return `expected ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}, got ${found(issue.input)}.`;
    default:
      return undefined;
  }
}

const typeNames: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
};

function nameProblem(given: unknown, known: readonly string[]): string {
  const hint = typeof given === 'string' ? didYouMean(given, known) : '';
  return `expected ${known.length === 1 ? known[0] : `one of ${known.join(', ')}`}, got ${found(given)}.${hint}`;
}

function found(value: unknown): string {
  if (value === undefined) return 'nothing';
  return typeof value === 'object' && value !== null
    ? Array.isArray(value)
      ? 'a list'
      : 'an object'
    : printableJson(value);
}
