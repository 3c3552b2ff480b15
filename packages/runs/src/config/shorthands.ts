/**
 * Fields that a run may be asked for by and that stand for others, which they become: the size of a network, whatever its kind calls
 * it, and the averages that are kept together with the one that is sampled with.
 */
import { ArgumentError } from '@meanflow/core';
import { problemAt, type FieldPath, type ValueSource } from '@meanflow/core/validation';
import { networks } from '@meanflow/models';
import { z } from 'zod';
import { sourceOf, type SettingsLayer } from './layers.js';
import { isRecord, type JsonRecord } from './merge.js';
import { count } from './numbers.js';
import { averageName } from './optimizer-schema.js';

const average = z.union([averageName, z.literal('none')], {
  error: 'expected a decay below 1, a half-life in samples from 1, or "none".',
});

export const shorthandFields = {
  width: count
    .optional()
    .describe('Width of the network, in the field that says it for the kind of network.'),
  depth: count
    .optional()
    .describe('Layers of the network, in the field that says it for the kind of network.'),
  average: z
    .union([average, z.array(average).min(1)], {
      error: 'expected a decay below 1, a half-life in samples from 1, "none", or a list of these.',
    })
    .optional()
    .describe(
      'Averages of the parameters that are kept, by decay or by half-life in samples, in place of `ema.decays` and `ema.halfLives`; ' +
        'the first is sampled with (`sampling.ema`): with "none" the parameters themselves.',
    ),
};

/** A shorthand, the field that it stands for, and what that becomes. */
interface Expansion {
  readonly name: keyof typeof shorthandFields;
  readonly path: readonly [object: string, field: string];
  readonly value: unknown;
}

/**
 * The layer with the fields that its shorthands stand for. The shorthands stay, so that laying it over another replaces what
 * they replace.
 *
 * @param kind of the network
 * @throws {ArgumentError} when the layer says a field in both ways, or names "none" among averages
 */
export function expanded({ record, source }: SettingsLayer, kind: unknown): SettingsLayer {
  const expansions = [...sizes(record, kind), ...averages({ record, source })];
  if (expansions.length === 0) return { record, source };
  const full = new Map(Object.entries(record));
  for (const { name, path, value } of expansions) {
    const [object, field] = path;
    const before = full.get(object) ?? {};
    if (!isRecord(before)) continue;
    if (before[field] !== undefined) throw twice(source, name, path);
    full.set(object, { ...before, [field]: value });
  }
  return { record: Object.fromEntries(full), source: sourceWith(source, expansions) };
}

function sizes(record: JsonRecord, kind: unknown): Expansion[] {
  const fields = networks.find(kind)?.sizeFields;
  return (['width', 'depth'] as const)
    .filter((name) => record[name] !== undefined)
    .map((name) => ({ name, path: ['network', fields?.[name] ?? name], value: record[name] }));
}

function averages({ record, source }: SettingsLayer): Expansion[] {
  if (record.average === undefined) return [];
  const [sampled, ...others] = [record.average].flat();
  if (others.includes('none')) {
    const problem =
      '"none" is first or not there: the parameters themselves are kept always, and the first is sampled with.';
    throw new ArgumentError(problemAt(source, ['average'], problem));
  }
  const kept = [sampled, ...others].filter((name): name is number => typeof name === 'number');
  const decays = kept.filter((name) => name < 1);
  const halfLives = kept.filter((name) => name >= 1);
  const name = 'average';
  return [
    ...(decays.length === 0 ? [] : [{ name, path: ['ema', 'decays'], value: decays } as const]),
    ...(halfLives.length === 0 ? [] : [{ name, path: ['ema', 'halfLives'], value: halfLives } as const]),
    { name, path: ['sampling', 'ema'], value: sampled === 'none' ? null : sampled },
  ];
}

function twice(source: string | ValueSource, name: string, path: FieldPath): ArgumentError {
  const [one, other] = [String(sourceOf(source, [name])), String(sourceOf(source, path))];
  if (one !== other) return new ArgumentError(`Give ${one} or ${other}, not both.`);
  return new ArgumentError(
    problemAt(source, [name], `it stands for ${path.join('.')}, which is given too: give one of them.`),
  );
}

/** The same source, which knows that a field was said by its shorthand. */
function sourceWith(source: string | ValueSource, expansions: readonly Expansion[]): string | ValueSource {
  if (typeof source === 'string') return source;
  const said = (path: FieldPath): FieldPath => {
    const found = expansions.find((each) => each.path.every((key, i) => key === path[i]));
    return found === undefined ? path : [found.name];
  };
  return {
    toString: () => String(source),
    lineOf: (path) => source.lineOf?.(said(path)),
    partOf: (path) => source.partOf?.(said(path)),
  };
}
