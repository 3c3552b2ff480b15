/**
 * Configuration files: JSON with an object at the top, in which comments are allowed. A text is scanned before it is parsed, without
 * recursion, so that what no configuration is (thousands of levels, a key twice, a number beyond all numbers) is an error with
 * its line, however large; and fields keep their lines, for errors that come later.
 */
import { readFile, stat } from 'node:fs/promises';
import { ArgumentError, DataError } from '@meanflow/core';
import { printable, quoted, fieldPath, type FieldPath } from '@meanflow/core/validation';
import { createScanner, parse, printParseErrorCode, type ParseError } from 'jsonc-parser';
import { withFileErrors } from '../files.js';
import type { SettingsLayer } from './layers.js';
import { isRecord, type JsonRecord } from './merge.js';

/** The largest configurations have some hundred fields. */
const LARGEST = 1 << 22;
const DEEPEST = 64;
const MOST_VALUES = 50_000;

/** Kinds of tokens, as the scanner numbers them: its own enumeration is there for the compiler alone. */
const TOKEN = { openBrace: 1, closeBrace: 2, openBracket: 3, closeBracket: 4, comma: 5, colon: 6, text: 10, number: 11, end: 17 } as const; // prettier-ignore

/** @throws {DataError} when the file cannot be read or is not a JSON object */
export async function readConfigFile(path: string): Promise<JsonRecord> {
  return (await openConfigFile(path)).record;
}

/** The same with the lines of its fields, or of the nearest fields around them that the file has. */
export async function openConfigFile(path: string): Promise<SettingsLayer> {
  const bytes = await withFileErrors(`"${path}" cannot be read`, async () => {
    const found = await stat(path);
    if (found.isFile() && found.size > LARGEST) throw tooLarge(path, found.size);
    return readFile(path);
  });
  if (bytes.length > LARGEST) throw tooLarge(path, bytes.length);
  return parseConfigFile(textOf(bytes, path), path);
}

/** @param source what the text was read from, for messages @throws {DataError} when it is not a JSON object */
export function parseConfig(text: string, source: string): JsonRecord {
  return parseConfigFile(text, source).record;
}

function parseConfigFile(text: string, source: string): SettingsLayer {
  const lines = scan(text, source);
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  if (errors.length > 0) throw notJson(text, source, errors[0]!);
  if (!isRecord(value)) throw new DataError(`"${source}" does not hold a JSON object.`);
  return { record: value, source: { toString: () => source, lineOf: (path) => nearestLine(lines, path) } };
}

function tooLarge(path: string, size: number): DataError {
  return new DataError(`"${path}" has ${size} bytes; a configuration has at most ${LARGEST}.`);
}

function textOf(bytes: Uint8Array, path: string): string {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw new DataError(`"${path}" is in UTF-16; save it as UTF-8.`);
  }
  try {
    // A mark at the beginning, which some editors write, goes.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new DataError(`"${path}" is not UTF-8 text.`);
  }
}

function notJson(text: string, source: string, { error, offset, length }: ParseError): DataError {
  const before = text.slice(0, offset).split('\n');
  const what = printParseErrorCode(error)
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toLowerCase();
  const found = text.slice(offset, offset + length).trim();
  return new DataError(
    `"${source}" is not JSON: ${what}${found === '' ? '' : ` (${printable(found, 40)})`} at line ${before.length}, column ${before[before.length - 1]!.length + 1}.`,
  );
}

type ErrorType = typeof ArgumentError | typeof DataError;

/** A list or an object that is open. */
interface Scope {
  readonly path: FieldPath;
  /** Keys so far; undefined for a list. */
  readonly keys: Set<string> | undefined;
  /** The key whose value follows, or the number of elements so far. */
  at: string | number;
}

/**
 * The line of every field, by its path.
 *
 * @throws {DataError} for what JSON allows and no configuration has; what is no JSON at all is left to the parser
 * @throws {ArgumentError} for a field that nothing has, is there twice, or is no number that there is
 */
function scan(text: string, source: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  const scopes: Scope[] = [];
  const scanner = createScanner(text, true);
  let values = 0;
  const fail = (path: FieldPath, problem: string, Failure: ErrorType = DataError): never => {
    const line = scanner.getTokenStartLine() + 1;
    throw new Failure(`"${source}", line ${line}: ${fieldPath(path)}${problem}`);
  };
  const pathOf = (scope: Scope | undefined): FieldPath =>
    scope === undefined ? [] : [...scope.path, scope.at];
  for (let token: number = scanner.scan(); token !== TOKEN.end; token = scanner.scan()) {
    const scope = scopes.at(-1);
    switch (token) {
      case TOKEN.openBrace:
      case TOKEN.openBracket: {
        if (scopes.length >= DEEPEST) fail([], `it is nested more than ${DEEPEST} deep.`);
        const isObject = token === TOKEN.openBrace;
        scopes.push({ path: pathOf(scope), keys: isObject ? new Set() : undefined, at: isObject ? '' : 0 });
        break;
      }
      case TOKEN.closeBrace:
      case TOKEN.closeBracket:
        scopes.pop();
        break;
      case TOKEN.comma:
        if (typeof scope?.at === 'number') scope.at++;
        break;
      case TOKEN.text: {
        if (++values > MOST_VALUES) fail([], `it has more than ${MOST_VALUES} values.`);
        const key = scanner.getTokenValue();
        const line = scanner.getTokenStartLine() + 1;
        if (scope?.keys === undefined || !isFollowedByColon(text, scanner.getPosition())) break;
        if (key === '__proto__') fail(scope.path, `there is no field "__proto__".`, ArgumentError);
        if (scope.keys.has(key)) fail(scope.path, `the field ${quoted(key)} is there twice.`, ArgumentError);
        scope.keys.add(key);
        scope.at = key;
        lines.set(keyOf(pathOf(scope)), line);
        break;
      }
      case TOKEN.number:
        if (++values > MOST_VALUES) fail([], `it has more than ${MOST_VALUES} values.`);
        if (!Number.isFinite(Number(scanner.getTokenValue()))) {
          fail(
            pathOf(scope),
            `${printable(scanner.getTokenValue(), 40)} is beyond all numbers.`,
            ArgumentError,
          );
        }
        break;
      case TOKEN.colon:
        break;
      default:
        if (++values > MOST_VALUES) fail([], `it has more than ${MOST_VALUES} values.`);
    }
    // No JSON: the parser says what is wrong.
    if (scanner.getTokenError() !== 0) break;
  }
  return lines;
}

/** Whether a text is a key: what may stand between are spaces and comments. */
function isFollowedByColon(text: string, from: number): boolean {
  const after = /(?:\s|\/\/[^\n]*\n?|\/\*[\s\S]*?\*\/)*/y;
  after.lastIndex = from;
  after.exec(text);
  return text[after.lastIndex] === ':';
}

function keyOf(path: FieldPath): string {
  return JSON.stringify(path);
}

function nearestLine(lines: ReadonlyMap<string, number>, path: FieldPath): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const line = lines.get(keyOf(path.slice(0, length)));
    if (line !== undefined) return line;
  }
  return undefined;
}
