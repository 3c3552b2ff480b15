/**
 * From parsed JSON to a checked configuration. Every problem is named by the path of its field and says what was found and what is
 * expected; an unknown key or name comes with the nearest right one.
 */
import { ArgumentError, type DataError, didYouMean } from '@meanflow/core';
import { z } from 'zod';

/** How many problems an error lists. */
const LISTED = 5;

/**
 * The value, checked and typed.
 *
 * @param source where it was written, for messages: a file, or the command line
 * @param Failure what is thrown: an ArgumentError for what a user wrote, a DataError for what a program did
 * @throws {ArgumentError | DataError} naming up to five fields that are wrong
 */
export function validate<T>(
  schema: z.ZodType<T>,
  value: unknown,
  source: string,
  Failure: typeof ArgumentError | typeof DataError = ArgumentError,
): T {
  const result = schema.safeParse(value, { error: explain });
  if (result.success) return result.data;
  const { issues } = result.error;
  const problems = issues.slice(0, LISTED).map(({ path, message }) => `${fieldPath(path)}${message}`);
  if (issues.length > LISTED) problems.push(`and ${issues.length - LISTED} more.`);
  throw new Failure(
    problems.length === 1 ? `${source}: ${problems[0]}` : `${source}:\n  ${problems.join('\n  ')}`,
  );
}

/** `network.embedding.kind: `, with `[2]` for elements of a list; empty at the top. */
function fieldPath(path: readonly PropertyKey[]): string {
  const text = path
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${String(key)}`))
    .join('');
  return text === '' ? '' : `${text}: `;
}

/** The sentence for a problem; undefined leaves it to Zod. */
function explain(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape) : [];
      const [first, ...rest] = issue.keys;
      const others = rest.length === 0 ? '' : ` Neither are there ${rest.map(quoted).join(', ')}.`;
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
    : JSON.stringify(value);
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
