/**
 * A directory of parity vectors: `<case>.json` says what the tensors of `<case>.safetensors` are. Reading is strict: a file
 * that cannot be read, that lacks its partner, or whose tensors are not those that its JSON lists is damaged; a file that
 * belongs to no known case is unknown. Neither passes for a case that was looked at. Folders of checkpoints are read by
 * the importers.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, parse } from 'node:path';
import { DataError, sameShape, type Backend, type HostArray } from '@meanflow/core';
import { formatShape } from '@meanflow/core/validation';
import { decodeSafetensors, type JsonObject, type JsonValue } from '@meanflow/formats';
import { checkpointCases, holdsCheckpoints } from './checkpoints.js';
import { problemOf, type ParityCase, type ParityOutcome, type ParityResult } from './parity-case.js';
import { knownCases, type KnownCase } from './registry.js';

/**
 * Runs every case of a directory.
 *
 * @throws {DataError} when the directory cannot be read or holds no case
 */
export async function runParity(directory: string, backend: Backend): Promise<readonly ParityResult[]> {
  const results: ParityResult[] = [];
  for (const name of caseNames(directory)) {
    const path = join(directory, name);
    if (name.endsWith('/') && holdsCheckpoints(path)) results.push(...(await checkpointCases(path, name)));
    else if (name.endsWith('/'))
      results.push({ name, outcome: 'unknown', reason: 'a directory of no known kind' });
    else if (belongsToCase(directory, name))
      results.push({ name, ...(await runEntry(directory, name, backend)) });
    else results.push({ name, outcome: 'unknown', reason: 'neither <case>.json nor <case>.safetensors' });
  }
  if (results.length === 0)
    throw new DataError(`${directory} holds no parity cases (<case>.json with <case>.safetensors).`);
  return results;
}

/** Names of cases, of subdirectories (with a slash) and of files that are neither, sorted. */
function caseNames(directory: string): string[] {
  let entries;
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    throw new DataError(`${directory} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  const names = entries
    .filter(({ name }) => !name.startsWith('.') && !name.endsWith('.md'))
    .map((entry) => {
      if (entry.isDirectory()) return `${entry.name}/`;
      const { name, ext } = parse(entry.name);
      return ext === '.json' || ext === '.safetensors' ? name : entry.name;
    });
  return [...new Set(names)].sort();
}

/** Whether a name is that of a case, and not of another file. */
function belongsToCase(directory: string, name: string): boolean {
  return ['.json', '.safetensors'].some((ending) => exists(join(directory, name + ending)));
}

async function runEntry(directory: string, name: string, backend: Backend): Promise<ParityOutcome> {
  let given: ParityCase;
  let known: KnownCase | undefined;
  try {
    const facts = readFacts(directory, name);
    const caseName = typeof facts.case === 'string' ? facts.case : name;
    known = knownCases.find(({ pattern }) => pattern.test(caseName));
    if (known === undefined) {
      return { outcome: 'unknown', reason: `there is no case "${caseName}"` };
    }
    given = {
      name,
      facts,
      tensors: readTensors(directory, name, facts, known.hasTensors ?? true),
      neighbour: (other) => readTensors(directory, other, {}, true),
    };
  } catch (error) {
    return { outcome: 'damaged', reason: problemOf(error) };
  }
  try {
    const tensors = await known.run(given, backend);
    return { outcome: tensors.every(({ passed }) => passed) ? 'passed' : 'failed', tensors };
  } catch (error) {
    return { outcome: 'failed', tensors: [], problem: problemOf(error) };
  }
}

function readFacts(directory: string, name: string): JsonObject {
  const path = join(directory, `${name}.json`);
  const text = readFile(path).toString('utf8');
  let parsed: JsonValue;
  try {
    parsed = JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new DataError(`${name}.json is not JSON: ${(error as Error).message}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new DataError(`${name}.json must hold an object.`);
  }
  return parsed as JsonObject;
}

function readTensors(
  directory: string,
  name: string,
  facts: JsonObject,
  hasTensors: boolean,
): ParityCase['tensors'] {
  const path = join(directory, `${name}.safetensors`);
  if (!hasTensors && !exists(path)) return {};
  const { tensors } = decodeSafetensors(readFile(path), `${name}.safetensors`);
  checkListed(name, facts, tensors);
  for (const [key, { data }] of Object.entries(tensors)) {
    const bad = data.findIndex((x: number) => !Number.isFinite(x));
    if (bad >= 0) throw new DataError(`${name}.safetensors: "${key}" holds ${data[bad]} at position ${bad}.`);
  }
  return tensors;
}

/** What the JSON lists must be there, of the dtypes and shapes it gives. Gradients and trained parameters are not listed. */
function checkListed(name: string, facts: JsonObject, tensors: Readonly<Record<string, HostArray>>): void {
  const listed = facts.tensors;
  if (typeof listed !== 'object' || listed === null || Array.isArray(listed)) return;
  for (const [key, entry] of Object.entries(listed as JsonObject)) {
    const found = tensors[key];
    if (found === undefined) throw new DataError(`${name}.safetensors lacks "${key}", which its JSON lists.`);
    const [dtype, shape] = Array.isArray(entry) ? entry : [];
    if (typeof dtype !== 'string' || !isShape(shape)) {
      const wrong = JSON.stringify(entry);
      throw new DataError(`${name}.json: "tensors.${key}" must be a dtype and a shape, got ${wrong}.`);
    }
    const same = found.dtype === dtype && sameShape(found.shape, shape);
    if (!same) {
      throw new DataError(
        `${name}.safetensors: "${key}" is ${found.dtype}${formatShape(found.shape)}, its JSON says ${dtype}${formatShape(shape)}.`,
      );
    }
  }
}

function isShape(value: JsonValue | undefined): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size));
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new DataError(
      `${parse(path).base} ${missing ? 'is missing' : `cannot be read: ${(error as Error).message}`}.`,
    );
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
