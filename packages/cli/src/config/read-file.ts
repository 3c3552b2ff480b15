/** Configuration files: JSON with an object at the top, in which comments are allowed. */
import { readFile } from 'node:fs/promises';
import { DataError } from '@meanflow/core';
import { parse, printParseErrorCode, type ParseError } from 'jsonc-parser';
import { withFileErrors } from '../files.js';
import { isRecord, type JsonRecord } from './merge.js';

/** @throws {DataError} when the file cannot be read or is not a JSON object */
export async function readConfigFile(path: string): Promise<JsonRecord> {
  return parseConfig(await withFileErrors(`"${path}" cannot be read`, () => readFile(path, 'utf8')), path);
}

/** @param source what the text was read from, for messages @throws {DataError} when it is not a JSON object */
export function parseConfig(text: string, source: string): JsonRecord {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  if (errors.length > 0) {
    const [{ error, offset }] = errors;
    const before = text.slice(0, offset).split('\n');
    const what = printParseErrorCode(error)
      .replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')
      .toLowerCase();
    throw new DataError(
      `"${source}" is not JSON: ${what} at line ${before.length}, column ${before[before.length - 1].length + 1}.`,
    );
  }
  if (!isRecord(value)) throw new DataError(`"${source}" does not hold a JSON object.`);
  return value;
}
