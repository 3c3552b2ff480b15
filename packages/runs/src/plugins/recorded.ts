/**
 * What runs and model files record of plug-ins, and what is made of it: words. A record says which file an entry came from, so that
 * whoever lacks the entry is told what to type. It is never followed: what a run's folder or a model file names is not loaded.
 */
import { ArgumentError } from '@meanflow/core';
import { quoted } from '@meanflow/core/validation';
import { z } from 'zod';
import { sha256, shortDigest } from '../config/digest.js';
import { isRecord } from '../config/merge.js';
import { shellWord } from '../shell.js';
import { pluginKinds, type PluginKind } from './entries.js';
import { fileOf, nounOf, registries, type PluginFile, type Registries } from './plugin.js';

/** A plug-in as a run records it: its file, and which of its entries the run uses. */
export const pluginRecordSchema = z.strictObject({
  path: z.string().min(1),
  digest: sha256,
  entries: z.partialRecord(z.enum(pluginKinds), z.array(z.string().min(1)).min(1)),
});
export type PluginRecord = z.infer<typeof pluginRecordSchema>;

/** An entry by its name. */
interface Named {
  readonly kind: PluginKind;
  readonly name: string;
}

/** What a configuration names of the registries, checked or not. */
function namedIn(config: unknown): readonly Named[] {
  const { network, objective, sampling, evaluation, data, backend } = fieldsOf(config);
  const named: readonly (readonly [PluginKind, unknown])[] = [
    ['networks', fieldsOf(network).kind],
    ['objectives', fieldsOf(objective).kind],
    ['solvers', fieldsOf(sampling).solver],
    ['datasets', data],
    ['backends', backend],
    ...[fieldsOf(evaluation).metrics].flat().map((name) => ['metrics', name] as const),
  ];
  return named.flatMap(([kind, name]) => (typeof name === 'string' ? { kind, name } : []));
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}

/**
 * The configuration with a record of the plug-ins whose entries it uses. Of an entry that is not loaded, because nothing needed it, the
 * record stays as it was.
 */
export function withPlugins<Config extends object>(config: Config): Config {
  const { plugins: _, ...rest } = fieldsOf(config);
  const before = recordsIn(config);
  const plugins: PluginRecord[] = [];
  for (const { kind, name } of namedIn(config)) {
    const file = fileOf(kind, name) ?? before.find(({ entries }) => entries[kind]?.includes(name));
    if (file !== undefined) addTo(plugins, file, kind, name);
  }
  return (plugins.length === 0 ? rest : { ...rest, plugins }) as Config;
}

/** What a model cannot be made without. */
const OF_A_MODEL: readonly PluginKind[] = ['networks', 'objectives', 'solvers'];

/**
 * Makes sure that the entries which a saved configuration needs are here, where it records the plug-ins that they were of. What it
 * does not record is left to whoever looks an entry up.
 *
 * @param saved a configuration, not checked yet
 * @param source where it was written, for messages
 * @param kinds what is needed of it; what a model cannot be made without, by default
 * @param into registries beside those that there are everywhere
 * @throws {ArgumentError} naming the plug-ins, and saying what to type
 */
export function checkPlugins(
  saved: unknown,
  source: string,
  kinds: readonly PluginKind[] = OF_A_MODEL,
  into: Registries = {},
): void {
  const all: Registries = { ...registries, ...into };
  const records = recordsIn(saved);
  const missing = namedIn(saved).flatMap(({ kind, name }) => {
    if (!kinds.includes(kind) || all[kind] === undefined || all[kind].find(name) !== undefined) return [];
    const record = records.find(({ entries }) => entries[kind]?.includes(name));
    return record === undefined ? [] : { what: `the ${nounOf(kind)} ${quoted(name)}`, record };
  });
  if (missing.length > 0) throw missingError(missing, source);
}

/**
 * The same for all that records name, whatever uses it.
 *
 * @param except kinds of which others will be used
 */
export function checkRecords(
  saved: unknown,
  source: string,
  into: Registries,
  except: readonly PluginKind[] = [],
): void {
  const all: Registries = { ...registries, ...into };
  const missing = recordsIn(saved).flatMap((record) =>
    entriesOf(record).flatMap(({ kind, name }) =>
      except.includes(kind) || all[kind]?.find(name) !== undefined
        ? []
        : { what: `the ${nounOf(kind)} ${quoted(name)}`, record },
    ),
  );
  if (missing.length > 0) throw missingError(missing, source);
}

function entriesOf({ entries }: Pick<PluginRecord, 'entries'>): readonly Named[] {
  return pluginKinds.flatMap((kind) => (entries[kind] ?? []).map((name) => ({ kind, name })));
}

/** The records of several configurations, each plug-in once. */
export function mergeRecords(all: readonly PluginRecord[]): PluginRecord[] {
  const merged: PluginRecord[] = [];
  for (const record of all) {
    for (const { kind, name } of entriesOf(record)) addTo(merged, record, kind, name);
  }
  return merged;
}

function addTo(records: PluginRecord[], { path, digest }: PluginFile, kind: PluginKind, name: string): void {
  let record = records.find((each) => each.path === path && each.digest === digest);
  if (record === undefined) records.push((record = { path, digest, entries: {} }));
  const names = (record.entries[kind] ??= []);
  if (!names.includes(name)) names.push(name);
}

/** An entry that a configuration uses and that no other process knows, in words: it was registered by code. */
export function entryByCode(config: unknown, into: Registries): string | undefined {
  const all: Registries = { ...registries, ...into };
  const found = namedIn(config).find(
    ({ kind, name }) => all[kind]?.isAdded(name) && fileOf(kind, name) === undefined,
  );
  return found && `the ${nounOf(found.kind)} ${quoted(found.name)}`;
}

function missingError(
  missing: readonly { readonly what: string; readonly record: PluginRecord }[],
  source: string,
): ArgumentError {
  const records = [...new Set(missing.map(({ record }) => record))];
  const texts = records.map((record) => {
    const whats = missing.filter((each) => each.record === record).map(({ what }) => what);
    const verb = whats.length === 1 ? 'is' : 'are';
    return `${inSeries(whats)} ${verb} of the plug-in ${recordText(record)}`;
  });
  return new ArgumentError(`${source}: ${texts.join('; ')}. ${adviceText(records)}`);
}

/** The options that name a plug-in: a backend's module is named as a backend. */
function optionFor({ path, entries }: PluginRecord): string {
  const [isNamedSo] = entriesOf({ entries }).map(({ kind, name }) => fileOf(kind, name)?.isBackend);
  const isBackend = isNamedSo ?? Object.keys(entries).every((kind) => kind === 'backends');
  return `${isBackend ? '--backend' : '--plugin'} ${shellWord(path)}`;
}

/**
 * What a command is followed by that opens what these configurations are of, such as ` --plugin ./mine.mjs`: without it the command
 * would refuse to.
 */
export function pluginOptions(...configs: readonly unknown[]): string {
  return mergeRecords(configs.flatMap(recordsIn))
    .map((record) => ` ${optionFor(record)}`)
    .join('');
}

/** What to type so that these are loaded, and why nothing was. */
export function adviceText(records: readonly PluginRecord[]): string {
  const options = records.map(optionFor);
  const [it, them] = records.length === 1 ? ['it', 'that file'] : ['they', 'those files'];
  return (
    `Nothing that a run or a model file names is executed unless you name it yourself, so ${it} ${records.length === 1 ? 'is' : 'are'} ` +
    `not loaded. If you trust ${them}: ${options.join(' ')} (in a program: loadPlugin).`
  );
}

/** Several things in a sentence. */
function inSeries(things: readonly string[]): string {
  const last = things.at(-1) ?? '';
  return things.length < 2 ? last : `${things.slice(0, -1).join(', ')} and ${last}`;
}

/** A record, in words. */
export function recordText({ path, digest }: PluginFile): string {
  return `${quoted(path)} (SHA-256 ${shortDigest(digest)})`;
}

/** The plug-ins that a saved configuration records, as far as they are records. */
export function recordsIn(saved: unknown): readonly PluginRecord[] {
  const { plugins } = fieldsOf(saved);
  return [plugins].flat().flatMap((each) => pluginRecordSchema.safeParse(each).data ?? []);
}

/** Of recorded plug-ins that are here with another content than was recorded: a sentence for each. */
export function changedPlugins(saved: unknown): readonly string[] {
  return recordsIn(saved).flatMap((record) => {
    const { path, digest } = record;
    const found = entriesOf(record).map(({ kind, name }) => fileOf(kind, name));
    const changed = found.find((file) => file !== undefined && file.digest !== digest);
    if (changed === undefined) return [];
    return `warning: the plug-in ${recordText(changed)} is not the one that this was made with, ${recordText({ path, digest })}.`;
  });
}
