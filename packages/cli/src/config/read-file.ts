/** Configuration files: JSON with an object at the top. */
import { readFile } from 'node:fs/promises';
import { DataError } from '@meanflow/core';
import { withFileErrors } from '../files.js';
import { isRecord, type JsonRecord } from './merge.js';

/** @throws {DataError} when the file cannot be read or is not a JSON object */
export async function readConfigFile(path: string): Promise<JsonRecord> {
  const text = await withFileErrors(`"${path}" cannot be read`, () => readFile(path, 'utf8'));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DataError(`"${path}" is not JSON: ${(error as Error).message}.`);
  }
  if (!isRecord(value)) throw new DataError(`"${path}" does not hold a JSON object.`);
  return value;
}
