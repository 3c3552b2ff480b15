/**
 * From plain JSON to a checked configuration, by a schema of Zod. Every problem is named by the path of its field and says what was
 * found and what is expected; an unknown key or name comes with the nearest right one. Zod itself is not needed here: a schema is
 * whatever checks a value as Zod's do.
 */
import { ArgumentError, type DataError } from './errors.js';
import { didYouMean } from './nearest-name.js';
import { printable, printableJson, quoted } from './printable.js';

/** What a schema says is wrong, in Zod's terms; which fields there are follows from the code. */
export interface SchemaIssue {
  readonly code?: string | undefined;
  readonly path?: readonly PropertyKey[] | undefined;
  readonly input?: unknown;
  readonly [particular: string]: unknown;
}

/** A schema of Zod, or one that is like it. */
export interface Schema<T> {
  safeParse(
    value: unknown,
    options?: { readonly error?: (issue: SchemaIssue) => string | undefined },
  ):
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly issues: readonly FoundIssue[] } };
}

export interface FoundIssue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
}

/** Keys of objects and numbers of elements that lead to a field. */
export type FieldPath = readonly PropertyKey[];

/** Where a value was written: a file knows the lines of its fields, and what came together its parts. */
export interface ValueSource {
  toString(): string;
  lineOf?(path: FieldPath): number | undefined;
  /** Of what was written in several places, the one that a field is from; undefined where it is from no one of them. */
  partOf?(path: FieldPath): string | ValueSource | undefined;
}

/** How many problems an error lists, and how many keys one of them. */
const LISTED = 5;
/** How many keys, and how many characters of one, are shown of a path. */
const DEEPEST = 12;
const LONGEST = 60;

/**
 * The value, checked and typed.
 *
 * @param source where it was written, for messages: a file, the command line, or whose configuration it is
 * @param Failure what is thrown: an ArgumentError for what a user wrote, a DataError for what a program did
 * @throws {ArgumentError | DataError} naming up to five fields that are wrong
 */
export function validate<T>(
  schema: Schema<T>,
  value: unknown,
  source: string | ValueSource,
  Failure: typeof ArgumentError | typeof DataError = ArgumentError,
): T {
  const result = schema.safeParse(value, { error: explain });
  if (result.success) return result.data;
  const { issues } = result.error;
  const problems = issues.slice(0, LISTED).map(({ path, keys = [], message }) => {
    const within = keys.slice(0, 1);
    const part = partOf(source, [...path, ...within]);
    return { from: String(part), text: `${placeOf(part, path, within)}${message}` };
  });
  const [first] = problems;
  const from = problems.every((problem) => problem.from === first?.from) ? first?.from : undefined;
  const texts = problems.map((problem) =>
    from === undefined ? `${problem.from}: ${problem.text}` : problem.text,
  );
  if (issues.length > LISTED) texts.push(`and ${issues.length - LISTED} more.`);
  const whole = from ?? String(source);
  throw new Failure(texts.length === 1 ? `${whole}: ${texts[0]}` : `${whole}:\n  ${texts.join('\n  ')}`);
}

/** What is wrong with a field, and where it was written: `config.json: network.width (line 3): …`. */
export function problemAt(source: string | ValueSource, path: FieldPath, problem: string): string {
  const part = partOf(source, path);
  return `${part}: ${placeOf(part, path)}${problem}`;
}

function partOf(source: string | ValueSource, path: FieldPath): string | ValueSource {
  const part = typeof source === 'string' ? undefined : source.partOf?.(path);
  return part === undefined ? source : partOf(part, path);
}

/** `network.embedding.kind: `, with `[2]` for elements of a list; empty at the top. */
export function fieldPath(path: FieldPath): string {
  const text = path
    .slice(0, DEEPEST)
    .map((key, i) =>
      typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${printable(String(key), LONGEST)}`,
    )
    .join('');
  const more = path.length > DEEPEST ? ' …' : '';
  return text === '' ? '' : `${text}${more}: `;
}

/**
 * A field with its line, where the file has it: `network.width (line 3): `.
 *
 * @param within what in the field it is about, for the line
 */
function placeOf(source: string | ValueSource, path: FieldPath, within: FieldPath = []): string {
  const line = typeof source === 'string' ? undefined : source.lineOf?.([...path, ...within]);
  const field = fieldPath(path);
  if (line === undefined) return field;
  return field === '' ? `line ${line}: ` : `${field.slice(0, -2)} (line ${line}): `;
}

/** The sentence for a problem; undefined leaves it to the schema. */
function explain(issue: SchemaIssue): string | undefined {
  const { input } = issue;
  switch (issue.code) {
    case 'unrecognized_keys': {
      const { shape = {} } = (issue.inst ?? {}) as { readonly shape?: object };
      const known = Object.keys(shape);
      const [first = '', ...rest] = texts(issue.keys);
      const listed = rest.slice(0, LISTED).map((key) => quoted(key));
      const more = rest.length > LISTED ? `, and ${rest.length - LISTED} more` : '';
      const others = rest.length === 0 ? '' : ` Neither are there ${listed.join(', ')}${more}.`;
      return `there is no field ${quoted(first)}.${didYouMean(first, known)}${others} Known are ${known.join(', ')}.`;
    }
    case 'invalid_value':
      return nameProblem(input, texts(issue.values));
    case 'invalid_union': {
      const { discriminator } = issue;
      if (typeof discriminator !== 'string') return undefined;
      if (typeof input !== 'object' || input === null) return `expected an object, got ${found(input)}.`;
      return nameProblem((input as Record<string, unknown>)[discriminator], texts(issue.options));
    }
    case 'invalid_type': {
      const expected = String(issue.expected);
      return `expected ${typeNames[expected] ?? expected}, got ${found(input)}.`;
    }
    case 'too_small':
      if (issue.origin === 'array') return `expected at least ${issue.minimum} of them, got ${found(input)}.`;
      if (issue.origin === 'string') return 'expected some text, got nothing.';
      return `expected ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}, got ${found(input)}.`;
    case 'too_big':
      if (issue.origin === 'array') return `expected at most ${issue.maximum} of them, got ${found(input)}.`;
      return `expected ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}, got ${found(input)}.`;
    case 'not_multiple_of':
      return `expected a multiple of ${issue.divisor}, got ${found(input)}.`;
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

function texts(list: unknown): string[] {
  return Array.isArray(list) ? list.map(String) : [];
}

function nameProblem(given: unknown, known: readonly string[]): string {
  const hint = typeof given === 'string' ? didYouMean(given, known) : '';
  return `expected ${known.length === 1 ? known[0] : `one of ${known.join(', ')}`}, got ${found(given)}.${hint}`;
}

function found(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : printableJson(value);
}
