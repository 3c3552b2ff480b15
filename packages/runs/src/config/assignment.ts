/** `path=value`, as `--set` writes it: one field of a configuration, by its path, and what it is to be. */
import { ArgumentError } from '@meanflow/core';
import { printable } from '@meanflow/core/validation';
import type { z } from 'zod';
import { checkField, fieldAt, isAccepted } from './fields.js';
import { elementKey } from './merge.js';
import { parseConfig } from './read-file.js';

export interface Assignment {
  /** Keys as a change of a configuration has them: `[2]` for an element of a list. */
  readonly keys: readonly string[];
  readonly value: unknown;
  /** What it is called in messages: `--set network.width`. */
  readonly source: string;
}

/**
 * Reads one. A value is JSON where that is what the field takes, and otherwise the text itself: quotes may be left out.
 *
 * @param text such as `network.width=256`, `sampling.nfe[0]=1`, `ema={"decays":[0.99]}`
 * @param schema of the configuration
 * @param prefix what stood before it, for messages
 * @throws {ArgumentError} when there is no such field, or the value is none for it
 */
export function readAssignment(text: string, schema: z.ZodType, prefix = ''): Assignment {
  const at = text.indexOf('=');
  const path = text.slice(0, Math.max(0, at)).trim();
  if (path === '') {
    throw new ArgumentError(
      `--set: expected path=value, such as network.width=256, got ${printable(prefix + text)}.`,
    );
  }
  const source = `--set ${printable(prefix + path)}`;
  const keys = keysOf(path, source);
  const field = fieldAt(schema, keys, source);
  const written = text.slice(at + 1).trim();
  const json = readJson(written, source);
  const value =
    json === undefined || (!isAccepted(field, json.value) && isAccepted(field, written))
      ? written
      : json.value;
  checkField(field, value, source);
  return {
    keys: field.path.map((key) => (typeof key === 'number' ? elementKey(key) : String(key))),
    value,
    source,
  };
}

/** Names between dots, and numbers between dots or in brackets. */
function keysOf(path: string, source: string): readonly string[] {
  const keys = path.replaceAll(/\[(\d+)\]/g, '.$1').split('.');
  if (keys.some((key) => key.trim() === '')) {
    throw new ArgumentError(
      `${source}: expected names with dots between them, such as network.width or sampling.nfe[0].`,
    );
  }
  return keys;
}

/** Undefined for what is no JSON. */
function readJson(text: string, source: string): { readonly value: unknown } | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  // What no configuration has (a key twice, a number beyond all numbers) is refused as in a file.
  return { value: parseConfig(`{"value":${text}}`, source).value };
}
