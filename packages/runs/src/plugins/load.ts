/**
 * Loading plug-ins from files, which executes them: only files that somebody names now are loaded, never one that a run's folder or a
 * model file names. A file is loaded once in a process; worker processes are told the files and load them themselves.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, parse, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ArgumentError, DataError } from '@meanflow/core';
import { describeValue, printable, quoted, validate } from '@meanflow/core/validation';
import { z } from 'zod';
import { backends, type BackendEntry } from '../backends.js';
import type { SettingsLayer } from '../config/layers.js';
import { openConfigFile } from '../config/read-file.js';
import { withFileErrors } from '../files.js';
import type { Address } from '../open-model.js';
import { register, type Plugin, type PluginFile } from './plugin.js';
import { adviceText, pluginRecordSchema, recordText } from './recorded.js';

/** A plug-in that was loaded from a file. */
export interface LoadedPlugin extends PluginFile {
  readonly plugin: Plugin;
}

/** What a worker process needs to load the same. */
export interface PluginRequest {
  /** Whole path. */
  readonly file: string;
  readonly digest: string;
  /** Whether the module was named as a backend. */
  readonly isBackend: boolean;
}

/** The paths by which backends were named. */
const backendPaths = new Map<string, string>();
const loaded = new Map<string, Promise<LoadedPlugin & PluginRequest>>();

/**
 * Registers the entries of a plug-in, all or none, under names that configurations take as they take ours. The same plug-in a second
 * time changes nothing. A comparison in several processes needs plug-ins from files: `loadPlugin`.
 *
 * @throws {ArgumentError} when it is no plug-in, an entry lacks something, or a name is taken
 */
export function registerPlugin(plugin: Plugin): void {
  register(plugin, { backends });
}

/**
 * Loads a plug-in from a file, which executes it, and registers its entries. A run that uses them records the file and its digest.
 *
 * @param path of an ES module whose default export is a `Plugin`
 * @throws {DataError} when the file cannot be read, or fails while it is executed
 * @throws {ArgumentError} when it is no plug-in, an entry lacks something, or a name is taken
 */
export async function loadPlugin(path: string | Address): Promise<LoadedPlugin> {
  const { path: shown, digest, plugin } = await load(path, false);
  return { path: shown, digest, plugin };
}

/**
 * Loads a backend from a file, which executes it.
 *
 * @param path of an ES module whose default export is a function that opens a backend, an entry with such a function as `open`, or a
 *   plug-in with one backend
 * @returns the name by which it is chosen from now on: its own, or that of its file
 * @throws as `loadPlugin`
 */
export async function loadBackend(path: string | Address): Promise<string> {
  const { plugin, path: shown } = await load(path, true);
  const [first, ...others] = plugin.backends ?? [];
  if (first !== undefined && others.length === 0) {
    backendPaths.set(first.name, shown);
    return first.name;
  }
  const found = first === undefined ? 'none' : [first, ...others].map(({ name }) => name).join(', ');
  throw new ArgumentError(
    `${quoted(shown)}: expected one backend, found ${found}. Load it as a plug-in, and choose a backend by its name.`,
  );
}

/** What to type for a backend: the path by which it was named, or its name. */
export function typedBackend(name: string): string {
  return backendPaths.get(name) ?? name;
}

/** What was loaded so far, for a worker process to load before anything else. */
export async function loadedPlugins(): Promise<readonly PluginRequest[]> {
  const all = await Promise.all(loaded.values());
  return all.map(({ file, digest, isBackend }) => ({ file, digest, isBackend }));
}

/** Loads what the parent process has loaded. @throws {DataError} when a file has changed since */
export async function loadAlike(requests: readonly PluginRequest[]): Promise<void> {
  for (const { file, digest, isBackend } of requests) {
    const found = await load(file, isBackend);
    if (found.digest !== digest) throw changedError(found);
  }
}

/**
 * A configuration file, after the plug-ins that it names are loaded: `plugins`, a list of paths as seen from the file. What a run
 * recorded there is no path, and loads nothing.
 *
 * @throws {DataError | ArgumentError} when the file or a plug-in cannot be read, or it holds a run's record of a plug-in that is not
 *   loaded
 */
export async function openConfigWithPlugins(path: string): Promise<SettingsLayer> {
  const { record, source } = await openConfigFile(path);
  const { plugins, ...rest } = record;
  const schema = z.array(z.union([z.string().min(1), pluginRecordSchema], 'expected the path of a file.'));
  const named =
    plugins === undefined ? [] : validate(z.object({ plugins: schema }), { plugins }, source).plugins;
  if (named.some((each) => typeof each === 'string') && isOfRun(path)) {
    throw new ArgumentError(
      `${source}: plugins: this is the configuration of a run, of whose folder nothing is executed. Name a plug-in that you trust by ` +
        '--plugin, or copy the file elsewhere.',
    );
  }
  for (const each of named) {
    if (typeof each === 'string') await loadPlugin(resolve(dirname(path), checkPath(each)));
  }
  const known = await Promise.all(loaded.values());
  const absent = named.flatMap((each) =>
    typeof each === 'string' || known.some((one) => one.digest === each.digest || one.path === each.path)
      ? []
      : each,
  );
  if (absent.length === 0) return { record: rest, source };
  throw new ArgumentError(
    `${source}: plugins: a run recorded ${absent.map(recordText).join(' and ')} here. ${adviceText(absent)} In a configuration of ` +
      `your own, plugins is a list of paths.`,
  );
}

/** Whether a file lies where runs keep theirs, which may have come from anywhere. */
function isOfRun(path: string): boolean {
  return ['metrics.jsonl', 'checkpoints', 'final.safetensors'].some((name) =>
    existsSync(join(dirname(path), name)),
  );
}

async function load(path: string | Address, isBackend: boolean): Promise<LoadedPlugin & PluginRequest> {
  const given = resolve(checkPath(path, isBackend));
  const shown = fromHere(given);
  const content = await withFileErrors(`${nameOf(shown, isBackend)} cannot be read`, async () => {
    if ((await stat(given)).isDirectory()) {
      throw new DataError(
        `${nameOf(shown, isBackend)} is a folder: name the file in it, such as ${quoted(fromHere(join(given, 'index.js')))}.`,
      );
    }
    return readFile(given);
  });
  const digest = createHash('sha256').update(content).digest('hex');
  const file = await realpath(given);
  const before = loaded.get(file);
  if (before !== undefined) {
    const found = await before;
    if (found.digest !== digest) throw changedError(found);
    return found;
  }
  const work = execute(file, { path: shown, digest }, isBackend);
  loaded.set(file, work);
  work.catch(() => loaded.delete(file));
  return work;
}

async function execute(
  file: string,
  { path, digest }: PluginFile,
  isBackend: boolean,
): Promise<LoadedPlugin & PluginRequest> {
  const exports = await imported(file, { path, isBackend });
  const plugin = pluginOf(exports, path, isBackend);
  register(plugin, { backends }, { path, digest, isBackend });
  return { path, digest, plugin, file, isBackend };
}

/** @throws {DataError} when the module cannot be loaded, or throws */
async function imported(
  file: string,
  { path, isBackend }: Pick<PluginRequest & PluginFile, 'path' | 'isBackend'>,
): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const [, line] = new RegExp(`${escaped(parse(file).base)}:(\\d+)`).exec(stack) ?? [];
    const where = line === undefined ? '' : ` (line ${line})`;
    const text = `${nameOf(path, isBackend)} cannot be loaded: ${printable(message, 500)}${where}.${advices[code] ?? ''}`;
    throw new DataError(text, { cause: error });
  }
}

const advices: Readonly<Record<string, string>> = {
  ERR_MODULE_NOT_FOUND:
    ' What it imports is looked for beside it: install it there, such as with `npm install @meanflow/core zod`.',
  ERR_UNKNOWN_FILE_EXTENSION:
    ' It is an ES module, .mjs or .js; TypeScript is compiled before, or taken by Node 22.18 and later.',
};

/** The default export as a plug-in. @throws {ArgumentError} when there is none, or it is something else */
function pluginOf(exports: Readonly<Record<string, unknown>>, path: string, isBackend: boolean): Plugin {
  const { default: found } = exports;
  const source = nameOf(path, isBackend);
  if (!('default' in exports)) {
    const others = Object.keys(exports).map((name) => printable(name));
    throw new ArgumentError(
      `${source} has no default export${others.length === 0 ? '' : `, only ${others.join(', ')}`}: write ` +
        (isBackend ? '`export default () => createBackend()`.' : '`export default { networks: [ … ] }`.'),
    );
  }
  const isEntry = typeof found === 'object' && found !== null && 'open' in found;
  if (typeof found === 'function' || isEntry) {
    if (isBackend)
      return { backends: [isEntry ? (found as BackendEntry) : entryOf(found as BackendEntry['open'], path)] };
    throw new ArgumentError(
      `${source}: its default export is ${isEntry ? 'one entry' : 'a function'}, not a plug-in: \`export default { datasets: [ … ] }\`. If it ` +
        'is a backend, name it by --backend (in a program: loadBackend).',
    );
  }
  if (typeof found === 'object' && found !== null && !Array.isArray(found)) return found as Plugin;
  throw new ArgumentError(
    `${source}: expected a ${isBackend ? 'function that opens a backend' : 'plug-in'} as its default export, got ${describeValue(found)}.`,
  );
}

/** File and folder names that say where a module lies in its package, not what it is. */
const PLACES = ['index', 'main', 'mod', 'dist', 'build', 'out', 'lib', 'src', 'esm'];

/** A backend that is nothing but a function has the name of its file, or of the package's folder when it is called `index`. */
function entryOf(open: BackendEntry['open'], path: string): BackendEntry {
  const { dir, name } = parse(resolve(path));
  const named = [name, ...dir.split(sep).toReversed()].find((part) => part !== '' && !PLACES.includes(part));
  const allowed = (named ?? name).replaceAll(/[^\w.:-]+/g, '-').replace(/^[^a-z\d]+/i, '');
  return { name: allowed, description: `of ${path}`, open };
}

/** A file, for messages. */
function nameOf(path: string, isBackend: boolean): string {
  return `${isBackend ? "The backend's module" : 'The plug-in'} ${quoted(path)}`;
}

/** @throws {ArgumentError} when it is no path of a file */
function checkPath(path: string | Address, isBackend = false): string {
  if (typeof path === 'object' && path.href.startsWith('file:')) return fileURLToPath(path.href);
  if (typeof path === 'string' && path.trim() !== '' && !/^[a-z][\w+.-]+:/i.test(path)) return path;
  throw new ArgumentError(
    `${isBackend ? "A backend's module" : 'A plug-in'} is a file on this machine, such as ./mine.mjs, got ${typeof path === 'object' ? path.href : describeValue(path)}. Nothing is loaded from ` +
      'elsewhere: fetch the file, and look at it.',
  );
}

/** A path as seen from the working folder, with `/`, so that a record of it says nothing else of this machine. */
function fromHere(path: string): string {
  const found = relative('', path);
  if (isAbsolute(found)) return path;
  const slashed = found.split(sep).join('/');
  return slashed.startsWith('.') ? slashed : `./${slashed}`;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function changedError({ path, isBackend }: PluginFile & PluginRequest): DataError {
  return new DataError(
    `${nameOf(path, isBackend)} has changed since this program loaded it, and cannot be loaded anew: start the program again.`,
  );
}
