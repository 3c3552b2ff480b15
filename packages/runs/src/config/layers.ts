/**
 * Settings from several places, one over the other: a recipe, a configuration file, the options of a command. What they come to is one
 * record, and what is wrong with a field of it is told of the place that said it last.
 */
import { ArgumentError } from '@meanflow/core';
import { problemAt, type FieldPath, type ValueSource } from '@meanflow/core/validation';
import { ElementError, elementKey, isRecord, merge, type JsonRecord } from './merge.js';

/** Settings, and where they were written. */
export interface SettingsLayer {
  readonly record: JsonRecord;
  /** For messages: a text such as `--width`, or a file that knows its lines. */
  readonly source: string | ValueSource;
}

/**
 * The layers as one, the last on top.
 *
 * @param overlay `changes` over `base`
 */
export function overlaid(
  layers: readonly SettingsLayer[],
  overlay: (base: JsonRecord, changes: JsonRecord) => JsonRecord = mergeRecords,
): SettingsLayer {
  const record = layers.reduce<JsonRecord>((base, { record: changes, source }) => {
    try {
      return overlay(base, changes);
    } catch (error) {
      if (!(error instanceof ElementError)) throw error;
      throw new ArgumentError(problemAt(source, error.path, error.problem), { cause: error });
    }
  }, {});
  const top = layers.at(-1)?.source ?? 'The settings';
  const partOf = (path: FieldPath): string | ValueSource | undefined => {
    const field = nearestField(record, path);
    if (field.length === 0) return undefined;
    const source = layers.findLast(
      (layer) => nearestField(layer.record, field).length === field.length,
    )?.source;
    return source === undefined ? undefined : sourceOf(source, field);
  };
  return { record, source: { toString: () => String(top), partOf } };
}

/** Settings as layers: one, where they are from one place. */
export function layersOf<Layer extends SettingsLayer>(
  settings: JsonRecord | readonly Layer[],
  source: string,
): readonly (Layer | SettingsLayer)[] {
  return isList(settings) ? settings : [{ record: settings, source }];
}

function isList<Layer>(settings: JsonRecord | readonly Layer[]): settings is readonly Layer[] {
  return Array.isArray(settings);
}

/** Where a field was written, of a source that may have parts. */
export function sourceOf(source: string | ValueSource, path: FieldPath): string | ValueSource {
  return (typeof source === 'string' ? undefined : source.partOf?.(path)) ?? source;
}

function mergeRecords(base: JsonRecord, changes: JsonRecord): JsonRecord {
  const merged = merge(base, changes);
  return isRecord(merged) ? merged : changes;
}

/** The field, or what of the path is there: of an object of some kind, the field that says which, for it decides what is missing. */
function nearestField(record: JsonRecord, path: FieldPath): FieldPath {
  let value: unknown = record;
  for (const [depth, key] of path.entries()) {
    const inner = valueAt(value, key);
    if (inner === undefined) {
      const known = path.slice(0, depth);
      return depth > 0 && isRecord(value) && value.kind !== undefined ? [...known, 'kind'] : known;
    }
    value = inner;
  }
  return path;
}

/** @param key of an object, or the number of an element, also in a change of a list */
function valueAt(value: unknown, key: PropertyKey): unknown {
  if (Array.isArray(value)) return value[Number(key)];
  const name = typeof key === 'number' ? elementKey(key) : String(key);
  return isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}
