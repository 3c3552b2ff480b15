/**
 * JSON as a type, and JSON from outside: read strictly, within limits that hold before anything is made of it. Depth,
 * keys and values are counted in the text, so that a small file cannot exhaust the stack, nor become far more objects than
 * it should; a key that an object has twice, of which `JSON.parse` keeps the last, is refused.
 */
import { DataError } from '@meanflow/core';
import { quoted } from '@meanflow/core/validation';

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [key: string]: JsonValue };

/** Whether a parsed value is an object (not an array, not null). */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a text may hold at most. */
export interface JsonLimits {
  /** Levels of objects and arrays; 64 by default. */
  readonly depth?: number;
  /** Keys of all objects together; a million by default. */
  readonly keys?: number;
  /** Items of all arrays and objects together; ten million by default. */
  readonly items?: number;
}

/**
 * The value of a text.
 *
 * @param source what the text is, for messages
 * @throws {DataError} when it is not JSON, exceeds a limit, or an object in it has a key twice; says where
 */
export function parseJson(text: string, source: string, limits: JsonLimits = {}): unknown {
  const problem = findProblem(text, limits);
  if (problem !== undefined) throw new DataError(`${source} ${problem}.`);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const { message } = error as Error;
    const position = /position (\d+)/.exec(message)?.[1];
    const where = position === undefined ? '' : ` (${placeOf(text, Number(position))})`;
    throw new DataError(`${source} is not JSON: ${message}${where}.`, { cause: error });
  }
}

/** The end of a sentence about the text; its grammar is left to `JSON.parse`. */
function findProblem(text: string, limits: JsonLimits): string | undefined {
  const { depth = 64, keys: mostKeys = 1_000_000, items: mostItems = 10_000_000 } = limits;
  const scopes: (Set<string> | undefined)[] = [];
  let [keys, items] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (scopes.length === depth) return `is nested more than ${depth} levels deep (${placeOf(text, at)})`;
        scopes.push(text.charCodeAt(at) === OPEN_BRACE ? new Set() : undefined);
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        scopes.pop();
        break;
      case COMMA:
        if (++items > mostItems) return `holds more than ${mostItems} values (${placeOf(text, at)})`;
        break;
      case QUOTE: {
        const end = endOfString(text, at);
        if (isFollowedByColon(text, end + 1)) {
          if (++keys > mostKeys) return `holds more than ${mostKeys} keys (${placeOf(text, at)})`;
          const key = keyOf(text.slice(at, end + 1));
          const known = scopes.at(-1);
          if (known?.has(key)) return `names ${quoted(key)} twice (${placeOf(text, at)})`;
          known?.add(key);
        }
        at = end;
      }
    }
  }
  return undefined;
}

const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET, COMMA, QUOTE, COLON, BACKSLASH] = [
  ...'{}[],":\\',
].map((character) => character.charCodeAt(0));

/** Where the string that begins at `at` ends, or the text. */
function endOfString(text: string, at: number): number {
  for (let end = at + 1; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === QUOTE) return end;
    if (code === BACKSLASH) end++;
  }
  return text.length;
}

function isFollowedByColon(text: string, at: number): boolean {
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++;
  return text.charCodeAt(at) === COLON;
}

/** A key as it is meant: two spellings may be one. */
function keyOf(literal: string): string {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  try {
    return JSON.parse(literal) as string;
  } catch {
    return literal;
  }
}

/** A place in a text for people. */
function placeOf(text: string, at: number): string {
  let line = 1;
  let start = 0;
  for (let end = text.indexOf('\n'); end >= 0 && end < at; end = text.indexOf('\n', start)) {
    line++;
    start = end + 1;
  }
  return line === 1 ? `character ${at + 1}` : `line ${line}, character ${at - start + 1}`;
}
