/**
 * A plug-in: networks, objectives, data sets, metrics, solvers and backends of one's own, under names that commands and configurations
 * take as they take ours. Its entries are registered together or not at all; which file they came from is remembered, so that a run
 * can record it. Nothing here reads a file or knows Node.
 */
import { ArgumentError } from '@meanflow/core';
import { quoted, validate, type Registry } from '@meanflow/core/validation';
import { datasets, type DatasetDefinition } from '@meanflow/data';
import { metrics, type Metric, type MetricDefinition } from '@meanflow/metrics';
import { networks, objectives, type NetworkDefinition, type ObjectiveDefinition } from '@meanflow/models';
import { solvers, type Solver } from '@meanflow/samplers';
import type { BackendEntry } from '../backends.js';
import { pluginKinds, pluginSchema, type PluginKind } from './entries.js';

/** Entries of one's own: the default export of a module that `--plugin` names. */
export interface Plugin {
  /** For messages. */
  readonly name?: string;
  readonly networks?: readonly NetworkDefinition[];
  readonly objectives?: readonly ObjectiveDefinition[];
  readonly datasets?: readonly DatasetDefinition[];
  readonly metrics?: readonly (Metric | MetricDefinition)[];
  readonly solvers?: readonly Solver[];
  /** For programs of Node; a page is handed its backend. */
  readonly backends?: readonly BackendEntry[];
}

/** The file that a plug-in was loaded from. */
export interface PluginFile {
  /** As seen from the working folder, such as `./mine.mjs`. */
  readonly path: string;
  /** SHA-256 of its content. */
  readonly digest: string;
  /** Whether it was named as a backend, `--backend ./mine.mjs`; by default not. */
  readonly isBackend?: boolean;
}

/** What entries go into. */
export type Registries = Readonly<Partial<Record<PluginKind, Registry<{ readonly name: string }>>>>;

/** The registries that there are everywhere. */
export const registries = { networks, objectives, datasets, metrics, solvers };

/** The files of entries that came from one, by kind and name. */
const files = new Map<string, PluginFile>();
const keyOf = (kind: PluginKind, name: string): string => `${kind}/${name}`;

/** The file that an entry came from; undefined for what is built in, or was registered by code. */
export function fileOf(kind: PluginKind, name: string): PluginFile | undefined {
  return files.get(keyOf(kind, name));
}

/**
 * Registers the entries of a plug-in, all or none. The same entries a second time are those that are there.
 *
 * @param into registries beside those that there are everywhere
 * @param file that it was loaded from, which runs record
 * @throws {ArgumentError} when it is no plug-in, an entry lacks something, or a name is taken
 */
export function register(plugin: Plugin, into: Registries = {}, file?: PluginFile): void {
  const { name } = validate(pluginSchema, plugin, file === undefined ? 'The plug-in' : quoted(file.path));
  const source =
    file !== undefined ? quoted(file.path) : `The plug-in${name === undefined ? '' : ` ${quoted(name)}`}`;
  const all: Registries = { ...registries, ...into };
  const entries = pluginKinds.flatMap((kind) =>
    (plugin[kind] ?? []).map((entry: { readonly name: string }, i) => ({
      kind,
      entry,
      place: `${kind}[${i}]`,
    })),
  );
  if (entries.length === 0) {
    throw new ArgumentError(`${source}: there is nothing in it; a plug-in has ${pluginKinds.join(', ')}.`);
  }
  const isNew = entries.filter(({ kind, entry }) => all[kind]?.holds(entry) !== true);
  for (const [i, { kind, entry, place }] of isNew.entries()) {
    const isTaken = all[kind]?.find(entry.name) !== undefined;
    const isTwice = isNew.slice(0, i).some((other) => other.kind === kind && other.entry.name === entry.name);
    if (!isTaken && !isTwice) continue;
    const from = fileOf(kind, entry.name)?.path;
    const whose = isTwice
      ? ', in this plug-in'
      : from === undefined
        ? ''
        : `, of the plug-in ${quoted(from)}`;
    throw new ArgumentError(
      `${source}: ${place}.name: there is a ${nounOf(kind)} ${quoted(entry.name)} already${whose}. Give this one another name.`,
    );
  }
  for (const { kind, entry, place } of isNew) {
    try {
      all[kind]?.check(entry);
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      throw new ArgumentError(`${source}: ${place}: ${error.message}`, { cause: error });
    }
  }
  for (const { kind, entry } of isNew) all[kind]?.register(entry);
  if (file === undefined) return;
  for (const { kind, entry } of entries) files.set(keyOf(kind, entry.name), file);
}

/**
 * Registers the entries of a plug-in, all or none, under names that configurations and saved models take as they take ours. The same
 * plug-in a second time changes nothing.
 *
 * @throws {ArgumentError} when it is no plug-in, an entry lacks something, or a name is taken
 */
export function registerPlugin(plugin: Plugin): void {
  register(plugin);
}

/** An entry, in words. */
export function nounOf(kind: PluginKind): string {
  return kind === 'datasets' ? 'data set' : kind.slice(0, -1);
}
