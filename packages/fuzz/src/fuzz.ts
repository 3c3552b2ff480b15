/**
 * Fuzzing one target: files made of its seeds, one after another, each of which is read or refused by one of the project's
 * errors, in bounded time and memory. Files of our own are refused when any single bit of them is wrong.
 */
import { MeanflowError } from '@meanflow/core';
import { mutate } from './mutate.js';
import { Random } from './random.js';
import type { Seed, Target } from './target.js';

/** A file that was not dealt with as it should be. */
export interface Finding {
  readonly target: string;
  /** Makes the same file again, with the target's name. */
  readonly seed: number;
  readonly iteration: number;
  /** The seed file it was made of. */
  readonly from: string;
  /** What was wrong. */
  readonly problem: string;
  readonly bytes: Uint8Array;
}

/** What fuzzing a target came to. */
export interface FuzzReport {
  readonly target: string;
  /** Files that were tried, and how many of them were refused. */
  readonly tried: number;
  readonly refused: number;
  readonly findings: readonly Finding[];
}

export interface FuzzOptions {
  readonly seed: number;
  /** How long to go on. At least one file is tried. */
  readonly seconds: number;
  /** How many files to try at most; no limit by default. */
  readonly most?: number;
  /** Told before each file. */
  readonly onStart?: (iteration: number) => void;
  /** Where to begin; 0 by default. */
  readonly first?: number;
}

const MEMORY = 2 ** 28;
const SECONDS = 10;
/** Findings after which a target is given up: they are most often one. */
const MOST_FINDINGS = 20;

/** A file that follows from the seed and the iteration. */
export async function makeInput(
  target: Target,
  seed: number,
  iteration: number,
): Promise<{ readonly seed: Seed; readonly bytes: Uint8Array }> {
  const seeds = await target.seeds();
  const random = new Random(seed, target.name, iteration);
  const chosen = random.pick(seeds);
  const others = seeds.map(({ bytes }) => bytes);
  return { seed: chosen, bytes: mutate(chosen.bytes, random, others, target.words) };
}

/** Tries files until the time is over. */
export async function fuzz(target: Target, options: FuzzOptions): Promise<FuzzReport> {
  const { seed, seconds, most = Infinity, first = 0, onStart } = options;
  const findings: Finding[] = [];
  const end = performance.now() + 1000 * seconds;
  let [tried, refused] = [0, 0];
  do {
    const iteration = first + tried;
    const input = await makeInput(target, seed, iteration);
    onStart?.(iteration);
    const outcome = await attempt(target, () => input.seed.read(input.bytes));
    tried++;
    if (outcome.isRefused) refused++;
    if (outcome.problem === undefined) continue;
    const { name: from } = input.seed;
    findings.push({
      target: target.name,
      seed,
      iteration,
      from,
      problem: outcome.problem,
      bytes: input.bytes,
    });
  } while (performance.now() < end && tried < most && findings.length < MOST_FINDINGS);
  return { target: target.name, tried, refused, findings };
}

/** Whether every seed is read as it is: a target that refuses all of them would try nothing. */
export async function checkSeeds(target: Target): Promise<void> {
  for (const { name, bytes, read } of await target.seeds()) {
    try {
      await read(bytes);
    } catch (error) {
      throw new Error(`${target.name}: the seed "${name}" is refused: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}

/** Flips single bits of the seeds of a target, each of which should be refused. */
export async function fuzzFlips(
  target: Target,
  { seed, seconds, most = Infinity }: FuzzOptions,
): Promise<FuzzReport> {
  const findings: Finding[] = [];
  const end = performance.now() + 1000 * seconds;
  const seeds = await target.seeds();
  let [tried, refused] = [0, 0];
  do {
    const random = new Random(seed, `${target.name}, single bits`, tried);
    const { name: from, bytes, read } = random.pick(seeds);
    const bit = random.below(8 * bytes.length);
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    const { isRefused, problem } = await attempt(target, () => read(flipped));
    if (isRefused) refused++;
    const found =
      problem ?? (isRefused ? undefined : `bit ${bit & 7} of byte ${bit >> 3} is wrong, and it was read`);
    if (found !== undefined) {
      findings.push({ target: target.name, seed, iteration: tried, from, problem: found, bytes: flipped });
    }
    tried++;
  } while (performance.now() < end && tried < most && findings.length < MOST_FINDINGS);
  return { target: target.name, tried, refused, findings };
}

/** Reads a file, and says what is wrong with how that went. */
async function attempt(
  { memory = MEMORY, seconds = SECONDS }: Target,
  read: () => unknown,
): Promise<{ readonly isRefused: boolean; readonly problem: string | undefined }> {
  const started = performance.now();
  const before = process.resourceUsage().maxRSS;
  let error: unknown;
  let isRefused = false;
  try {
    await read();
  } catch (thrown) {
    error = thrown;
    isRefused = true;
  }
  const grown = 1024 * (process.resourceUsage().maxRSS - before);
  const took = (performance.now() - started) / 1000;
  const problem =
    (isRefused ? problemOf(error) : undefined) ??
    (took > seconds ? `took ${took.toFixed(1)} s, more than ${seconds}` : undefined) ??
    (grown > memory ? `the process grew by ${grown} bytes, more than ${memory}` : undefined);
  return { isRefused, problem };
}

/** Controls but for line breaks and tabs, which our own messages have. */
const CONTROLS = /[^\P{Cc}\n\t]/u;

function problemOf(error: unknown): string | undefined {
  if (!(error instanceof MeanflowError)) {
    return `an error that is not ours: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
  const { message } = error;
  if (CONTROLS.test(message)) return `a message with controls: ${JSON.stringify(message.slice(0, 500))}`;
  if (message.length > 25_000) return `a message of ${message.length} characters: ${message.slice(0, 500)}`;
  if (/bug in meanflow/i.test(message)) return `a message that blames meanflow: ${message}`;
  return undefined;
}
