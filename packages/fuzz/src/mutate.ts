/**
 * What becomes of a file: bits and bytes that are wrong, ends and middles that are missing or there twice, parts of
 * another file, numbers that say too much (as little- and big-endian words and as digits), levels without end, words of
 * the format in wrong places. One to four of these at a time.
 */
import type { Random } from './random.js';

/** Longer files are cut: it is small ones that have to be cheap. */
const LONGEST = 1 << 20;

type Mutation = (bytes: Uint8Array, random: Random, others: readonly Uint8Array[]) => Uint8Array;

/** Numbers at the edges of what fields hold. */
const edges = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]; // prettier-ignore
const bytesOfEdges = [0, 1, 0x20, 0x22, 0x2c, 0x5b, 0x5c, 0x7b, 0x7d, 0x7f, 0x80, 0xc0, 0xfe, 0xff];
const digits = ['0', '-1', '1e309', '00', '4294967296', '9007199254740993', '99999999999999999999', 'NaN', '1e-400', '0x10']; // prettier-ignore
const anyFormat = [
  '\u001b]0;x\u0007',
  '\0',
  '"',
  '\\u0000',
  '__proto__',
  'constructor',
  '[',
  '{',
  '\ufeff',
  '\r\n',
  '../',
  '/',
];

const mutations: readonly Mutation[] = [
  function flipBits(bytes, random) {
    const copy = bytes.slice();
    for (let count = 1 + random.below(4); count > 0 && copy.length > 0; count--) {
      copy[random.below(copy.length)]! ^= 1 << random.below(8);
    }
    return copy;
  },
  function setByte(bytes, random) {
    const copy = bytes.slice();
    if (copy.length > 0) copy[random.below(copy.length)] = random.pick(bytesOfEdges);
    return copy;
  },
  function truncate(bytes, random) {
    return bytes.slice(0, random.below(bytes.length + 1));
  },
  function behead(bytes, random) {
    return bytes.slice(random.below(bytes.length + 1));
  },
  function remove(bytes, random) {
    const [begin, end] = range(bytes, random);
    return joined(bytes.subarray(0, begin), bytes.subarray(end));
  },
  function repeat(bytes, random) {
    const [begin, end] = range(bytes, random);
    const times = random.pick([1, 1, 2, 10, 1000]);
    const piece = bytes.subarray(begin, Math.min(end, begin + LONGEST / times));
    return joined(
      bytes.subarray(0, begin),
      ...new Array<Uint8Array>(times).fill(piece),
      bytes.subarray(begin),
    );
  },
  function move(bytes, random) {
    const [begin, end] = range(bytes, random);
    const rest = joined(bytes.subarray(0, begin), bytes.subarray(end));
    const at = random.below(rest.length + 1);
    return joined(rest.subarray(0, at), bytes.subarray(begin, end), rest.subarray(at));
  },
  function splice(bytes, random, others) {
    const other = random.pick(others);
    const [begin, end] = range(bytes, random);
    const [from, to] = range(other, random);
    return joined(bytes.subarray(0, begin), other.subarray(from, to), bytes.subarray(end));
  },
  function setWord(bytes, random) {
    const width = random.pick([1, 2, 4, 8]);
    if (bytes.length < width) return bytes;
    const copy = bytes.slice();
    const view = new DataView(copy.buffer);
    const at = random.below(copy.length - width + 1);
    const near = [copy.length, copy.length - at, copy.length + 1, 2 * copy.length];
    const value = BigInt(random.pick([...edges, ...near]));
    const little = random.below(2) === 0;
    if (width === 1) view.setUint8(at, Number(value & 0xffn));
    else if (width === 2) view.setUint16(at, Number(value & 0xffffn), little);
    else if (width === 4) view.setUint32(at, Number(value), little);
    else view.setBigUint64(at, random.below(4) === 0 ? ~value : value, little);
    return copy;
  },
  function addToWord(bytes, random) {
    if (bytes.length < 4) return bytes;
    const copy = bytes.slice();
    const view = new DataView(copy.buffer);
    const at = random.below(copy.length - 3);
    const little = random.below(2) === 0;
    view.setUint32(at, view.getUint32(at, little) + random.below(33) - 16, little);
    return copy;
  },
  function setDigits(bytes, random) {
    const at = bytes.findIndex((byte, i) => i >= random.below(bytes.length) && byte >= 0x30 && byte <= 0x39);
    if (at < 0) return bytes;
    let end = at;
    while (bytes[end]! >= 0x30 && bytes[end]! <= 0x39) end++;
    return joined(bytes.subarray(0, at), text(random.pick(digits)), bytes.subarray(end));
  },
  function nest(bytes, random) {
    const [open = '', close = ''] = random.pick(['[]', '{}', '()', '""', '\u0090\u0090', '(.', ']a', '}]']);
    const depth = random.pick([3, 100, 10_000, 100_000]);
    const at = random.below(bytes.length + 1);
    const opened =
      text(open === '{' ? '{"a":' : open).length * depth > LONGEST ? open : open === '{' ? '{"a":' : open;
    return joined(
      bytes.subarray(0, at),
      text(opened.repeat(depth)),
      text(close.repeat(depth)),
      bytes.subarray(at),
    );
  },
];

/**
 * A file made of a seed.
 *
 * @param others all seeds of the target, for parts of another file
 * @param words of the format
 */
export function mutate(
  seed: Uint8Array,
  random: Random,
  others: readonly Uint8Array[],
  words: readonly string[] = [],
): Uint8Array {
  let bytes = seed;
  for (let count = 1 + random.below(4); count > 0; count--) {
    const choice = random.below(mutations.length + 1);
    if (choice < mutations.length) bytes = mutations[choice]!(bytes, random, others);
    else {
      const at = random.below(bytes.length + 1);
      const word = random.pick([...anyFormat, ...words]);
      bytes = joined(
        bytes.subarray(0, at),
        text(word),
        bytes.subarray(at + (random.below(2) && word.length)),
      );
    }
    if (bytes.length > LONGEST) bytes = bytes.slice(0, LONGEST);
  }
  return bytes;
}

/** Part of a file: most often a small one. */
function range(bytes: Uint8Array, random: Random): [begin: number, end: number] {
  const begin = random.below(bytes.length + 1);
  const longest = random.below(2) === 0 ? Math.min(16, bytes.length - begin) : bytes.length - begin;
  return [begin, begin + random.below(longest + 1)];
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(
    Math.min(
      LONGEST,
      parts.reduce((total, { length }) => total + length, 0),
    ),
  );
  let at = 0;
  for (const part of parts) {
    const fits = part.subarray(0, bytes.length - at);
    bytes.set(fits, at);
    at += fits.length;
  }
  return bytes;
}

function text(of: string): Uint8Array {
  return new TextEncoder().encode(of);
}
