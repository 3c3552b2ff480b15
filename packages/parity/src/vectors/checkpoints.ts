/**
 * The subdirectory `ckpt/`: checkpoints in the formats of published code, files or folders, beside what a reader must get
 * from them. `<stem>.expected.safetensors` belongs to every checkpoint whose name begins with the stem. A reader passes
 * when it gets every tensor, to the last bit.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '@meanflow/checkpoints/node';
import { DataError, hostArray, sameShape, type HostArray, type Shape } from '@meanflow/core';
import { formatShape } from '@meanflow/core/validation';
import { type Catalogue, decodeSafetensors, readTensor } from '@meanflow/formats';
import { compareNumber } from './compare-outputs.js';
import { problemOf, type ParityOutcome, type ParityResult, type TensorResult } from './parity-case.js';

const EXPECTED = '.expected.safetensors';
/** An input, and what a network makes of it, which is not in a checkpoint. */
const NOT_STORED = /^(in|out)\//;
/** What stands before the names of a PyTorch state dict. */
const STATE_DICT = /^sd\//;

/** Whether a directory holds checkpoints with what they hold. */
export function holdsCheckpoints(directory: string): boolean {
  return readdirSync(directory).some((name) => name.endsWith(EXPECTED));
}

/**
 * Every checkpoint of a directory.
 *
 * @param label what stands before their names
 */
export async function checkpointCases(directory: string, label: string): Promise<readonly ParityResult[]> {
  const names = readdirSync(directory).filter((name) => !name.startsWith('.') && !name.endsWith('.md'));
  const stems = names.filter((name) => name.endsWith(EXPECTED)).map((name) => name.slice(0, -EXPECTED.length));
  const results: ParityResult[] = [];
  const used = new Set<string>();
  for (const name of names.filter((each) => !each.endsWith(EXPECTED)).sort()) {
    // The longest stem: `mf-full` is another than `mf`.
    const [stem] = stems.filter((each) => belongs(name, each)).sort((a, b) => b.length - a.length);
    if (stem !== undefined) used.add(stem);
    const outcome: ParityOutcome =
      stem === undefined
        ? { outcome: 'unknown', reason: `no ${EXPECTED} file says what it holds` }
        : await compare(join(directory, name), join(directory, stem + EXPECTED));
    results.push({ name: label + name, ...outcome });
  }
  for (const stem of stems.filter((each) => !used.has(each))) {
    const reason = 'there is no checkpoint that it belongs to';
    results.push({ name: label + stem + EXPECTED, outcome: 'damaged', reason });
  }
  return results;
} // prettier-ignore

/** Whether a name is a stem, or goes on after it with another word or an ending. */
function belongs(name: string, stem: string): boolean {
  return name.startsWith(stem) && /^([-_.]|$)/.test(name.slice(stem.length));
}

async function compare(checkpoint: string, expected: string): Promise<ParityOutcome> {
  try {
    const { tensors } = decodeSafetensors(readFileSync(expected), expected);
    const wanted = Object.entries(tensors)
      .filter(([name]) => !NOT_STORED.test(name))
      .map(([name, array]) => [name.replace(STATE_DICT, ''), array] as const);
    if (wanted.length === 0) throw new DataError(`${expected} names no tensors.`);
    const catalogue = await openCheckpoint(checkpoint);
    const results = await compareAll(catalogue, wanted);
    return { outcome: results.every(({ passed }) => passed) ? 'passed' : 'failed', tensors: results };
  } catch (error) {
    return { outcome: 'damaged', reason: problemOf(error) };
  }
}

/** One result for each of the keys at the top, with the tensors that differ named. */
async function compareAll(
  catalogue: Catalogue,
  wanted: readonly (readonly [string, HostArray])[],
): Promise<TensorResult[]> {
  const find = finder(catalogue, wanted.map(([name]) => name)); // prettier-ignore
  const groups = new Map<string, { count: number; wrong: string[]; error: number }>();
  for (const [name, array] of wanted) {
    const key = name.split('/').length > 1 ? name.split('/')[0]! : (name.split('.')[0] ?? name);
    const group = groups.get(key) ?? { count: 0, wrong: [], error: 0 };
    groups.set(key, group);
    group.count++;
    const { problem, error } = await difference(find(name), array);
    group.error = Math.max(group.error, error);
    if (problem !== undefined) group.wrong.push(`${name} ${problem}`);
  }
  return [...groups].map(([key, { count, wrong, error }]) => {
    const label = wrong.length === 0 ? `${key} (${count})` : `${key} (${wrong.length} of ${count} differ: ${wrong[0]})`;
    return compareNumber(label, error, 0, 0);
  });
} // prettier-ignore

/** What a checkpoint has under a name: a tensor, or a number beside them. */
interface Found {
  readonly shape: Shape;
  readonly read: () => Promise<HostArray>;
}

/** By name, below whichever container of the checkpoint holds most of them, such as the `model` of a training state. */
function finder(catalogue: Catalogue, names: readonly string[]): (name: string) => Found | undefined {
  const byName = new Map<string, Found>();
  for (const { name, value } of catalogue.values) {
    if (typeof value === 'number') byName.set(name, { shape: [], read: async () => hostArray(value) });
  }
  for (const tensor of catalogue.tensors) {
    byName.set(tensor.name, { shape: tensor.shape, read: () => readTensor(tensor) });
  }
  const containers = new Set(['']);
  for (const name of byName.keys()) {
    for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1))
      containers.add(name.slice(0, at + 1));
  }
  const count = (container: string): number => names.filter((name) => byName.has(container + name)).length;
  const [best] = [...containers].sort((a, b) => count(b) - count(a));
  return (name) => byName.get(best + name);
}

async function difference(
  found: Found | undefined,
  wanted: HostArray,
): Promise<{ readonly problem?: string; readonly error: number }> {
  if (found === undefined) return { problem: 'is missing', error: Infinity };
  // A scalar is written down with one axis.
  const isSame = sameShape(found.shape, wanted.shape) || (wanted.size === 1 && found.shape.length === 0);
  if (!isSame) {
    return { problem: `is ${formatShape(found.shape)}, not ${formatShape(wanted.shape)}`, error: Infinity };
  }
  const { data } = await found.read();
  let error = 0;
  for (let i = 0; i < wanted.size; i++) {
    const distance = Object.is(data[i], wanted.data[i]) ? 0 : Math.abs(data[i]! - wanted.data[i]!);
    error = Math.max(error, Number.isNaN(distance) ? Infinity : distance);
  }
  return error === 0 ? { error } : { problem: `differs by ${error}`, error };
}
