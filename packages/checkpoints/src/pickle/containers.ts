/**
 * Globals of Python's standard library that only make containers and values: what they make here is a map, a list or a
 * text, whatever the class would do.
 */
import { Attributes, PassOver, Tuple, type KnownGlobal } from './values.js';

/** `OrderedDict()`, or of a list of pairs. */
function dictionary(args: readonly unknown[]): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  const [pairs] = args;
  if (pairs === undefined) return map;
  if (pairs instanceof Map) return new Map(pairs);
  if (!Array.isArray(pairs)) throw new PassOver();
  for (const pair of pairs) {
    const items: unknown = pair instanceof Tuple ? pair.items : pair;
    if (!Array.isArray(items) || items.length !== 2) throw new PassOver();
    map.set(items[0], items[1]);
  }
  return map;
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  if (value instanceof Tuple) return value.items;
  if (value instanceof Set) return [...value];
  if (Array.isArray(value)) return value;
  throw new PassOver();
}

/** Texts from parts of a path. */
function path(args: readonly unknown[]): string {
  if (!args.every((part) => typeof part === 'string')) throw new PassOver();
  return args.join('/').replace(/^\/\//, '/');
}

/** `_codecs.encode(text, 'latin1')` is how protocol 2 writes bytes. */
function encode([text, encoding]: readonly unknown[]): Uint8Array {
  if (typeof text !== 'string' || (encoding !== 'latin1' && encoding !== 'latin-1')) {
    throw new PassOver();
  }
  return Uint8Array.from(text, (character) => character.codePointAt(0)! & 0xff);
}

function bytesOf([content]: readonly unknown[]): Uint8Array {
  if (content === undefined) return new Uint8Array(0);
  if (content instanceof Uint8Array) return content;
  throw new PassOver();
}

/** What names a type, and makes nothing. */
const type: KnownGlobal = {};

const builtins: Readonly<Record<string, KnownGlobal>> = {
  dict: { call: dictionary },
  list: { call: ([items]) => [...listOf(items)] },
  tuple: { call: ([items]) => new Tuple([...listOf(items)]) },
  set: { call: ([items]) => new Set(listOf(items)) },
  frozenset: { call: ([items]) => new Set(listOf(items)) },
  bytearray: { call: ([bytes]) => (bytes instanceof Uint8Array ? bytes : new Uint8Array(0)) },
  // Protocol 2 writes the bytes of nothing so.
  bytes: { call: bytesOf },
  int: type,
  float: type,
  bool: type,
  str: type,
};

const paths = ['PosixPath', 'WindowsPath', 'PurePosixPath', 'PureWindowsPath', 'Path', 'PurePath'];

/** By module and name. */
export const containerGlobals: Readonly<Record<string, Readonly<Record<string, KnownGlobal>>>> = {
  builtins,
  // What Python 2, and protocol 2 of Python 3, call it.
  __builtin__: builtins,
  collections: {
    OrderedDict: { call: dictionary },
    // Its first argument would make missing values; nothing is missing in a file.
    defaultdict: { call: ([, ...rest]) => dictionary(rest) },
    Counter: { call: dictionary },
  },
  argparse: { Namespace: { call: () => new Attributes() } },
  types: { SimpleNamespace: { call: () => new Attributes() } },
  pathlib: Object.fromEntries(paths.map((name) => [name, { call: path }])),
  'pathlib._local': Object.fromEntries(paths.map((name) => [name, { call: path }])),
  _codecs: { encode: { call: encode } },
};
