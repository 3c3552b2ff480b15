/** A case of a parity directory: what its JSON says, its tensors, and what became of comparing with them. */
import { DataError, MeanflowError, type Backend, type HostArray } from '@meanflow/core';
import type { JsonObject, JsonValue } from '@meanflow/formats';

/** A case as it was read. */
export interface ParityCase {
  readonly name: string;
  /** The JSON beside the tensors. */
  readonly facts: JsonObject;
  /** By name: `in/…`, `out/…`, `out64/…`; empty for a case without tensors. */
  readonly tensors: Readonly<Record<string, HostArray>>;
  /**
   * The tensors of another file of the directory, by its name without `.safetensors`.
   *
   * @throws {DataError} when it is missing or damaged
   */
  readonly neighbour: (name: string) => Readonly<Record<string, HostArray>>;
}

/** One comparison with a published result. */
export interface TensorResult {
  /** Name of the published tensor or value. */
  readonly tensor: string;
  /** The largest absolute error. */
  readonly error: number;
  /** How far the published float32 result is from float64, where that is stated. */
  readonly floor: number | undefined;
  /** The largest absolute error that is allowed. */
  readonly tolerance: number;
  readonly passed: boolean;
}

/** What became of a case. */
export type ParityOutcome =
  | { readonly outcome: 'passed' | 'failed'; readonly tensors: readonly TensorResult[]; readonly problem?: string }
  | { readonly outcome: 'unknown' | 'damaged'; readonly reason: string }; // prettier-ignore

export type ParityResult = { readonly name: string } & ParityOutcome;

/** Computes a case's results and compares them. @throws {DataError} when the case lacks what it should hold */
export type ParityRunner = (given: ParityCase, backend: Backend) => Promise<readonly TensorResult[]>;

/**
 * What went wrong, in a line. An error that is not one of ours is a mistake here; it is named as such, and the other cases
 * are run all the same.
 */
export function problemOf(error: unknown): string {
  if (error instanceof MeanflowError) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** @throws {DataError} when the case lacks the tensor */
export function tensorOf({ name, tensors }: ParityCase, key: string): HostArray {
  const found = tensors[key];
  if (found === undefined) throw new DataError(`${name}.safetensors has no tensor "${key}".`);
  return found;
}

/** A number of the case's JSON. @throws {DataError} when it is not there */
export function numberOf({ name, facts }: ParityCase, ...path: readonly string[]): number {
  const value = at(facts, path);
  if (typeof value === 'number') return value;
  throw new DataError(`${name}.json: "${path.join('.')}" must be a number, got ${JSON.stringify(value)}.`);
}

/** A number of the case's JSON, or `fallback` where it says nothing. @throws {DataError} when it is something else */
export function numberOr(given: ParityCase, fallback: number, ...path: readonly string[]): number {
  return at(given.facts, path) === undefined ? fallback : numberOf(given, ...path);
}

/** Numbers of the case's JSON. @throws {DataError} when they are not there */
export function numbersOf({ name, facts }: ParityCase, ...path: readonly string[]): readonly number[] {
  const value = at(facts, path);
  if (Array.isArray(value) && value.every((item) => typeof item === 'number')) return value as number[];
  throw new DataError(`${name}.json: "${path.join('.')}" must be a list of numbers.`);
}

/** A text of the case's JSON. @throws {DataError} when it is not there */
export function textOf({ name, facts }: ParityCase, ...path: readonly string[]): string {
  const value = at(facts, path);
  if (typeof value === 'string') return value;
  throw new DataError(`${name}.json: "${path.join('.')}" must be a text, got ${JSON.stringify(value)}.`);
}

/** What stands at a path, if anything does. */
export function at(facts: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>(
    (value, key) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? (value as JsonObject)[key]
        : undefined,
    facts,
  );
}
