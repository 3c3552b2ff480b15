/**
 * Random programs of several ops, which no list of cases foresees: movements of data one after the other, sums of parts of
 * products, operands and outputs that are shared, integers and conditions, derivatives, and state that is replaced run by
 * run. Each case is a batch that is compiled as one graph. What fails is looked for in the batch, alone first, and is shrunk
 * to the least that still fails; seed and number in the report make it again.
 */
import { ArgumentError, sizeOf, type Backend } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { execute, graphOf, type Trial } from '../programs/execute.js';
import { CoreFault, expectedOf } from '../programs/expected.js';
import { programKinds, randomProgram, type ProgramKind } from '../programs/generate.js';
import { programText, typesOf, type Program } from '../programs/program.js';
import { shrink } from '../programs/shrink.js';
import { findExemption, findMissingOps } from '../unsupported.js';
import type { BehaviourCase, Feature, Finding, Unsupported } from './case.js';

/** Which random programs are run. */
export interface ProgramOptions {
  /** {@link DEFAULT_SEED} by default: the same programs every time. */
  readonly seed?: number;
  /** How many times as many programs as by default, which is 1. */
  readonly times?: number;
}

export const DEFAULT_SEED = 20_261_130;

/** Programs of each kind by default: a fault in one of a hundred is met on every run. */
const COUNTS: Readonly<Record<ProgramKind, number>> = {
  movements: 192,
  mixed: 224,
  integers: 96,
  derivatives: 128,
  state: 64,
};
/** Programs in a graph. */
const BATCH = 16;

/** Programs that are tried to make one that failed smaller. */
const MOST_TRIED = 150;
/** Failures that are made smaller, for each backend: one that gets everything wrong is known by a few. */
const MOST_SHRUNK = 4;

/** The case of an id, which says its seed, kind and numbers. */
export function programCaseOf(id: string): BehaviourCase | undefined {
  const [, kind, ...numbers] = /^programs\/(\w+): seed (\d+), (\d+) to (\d+)$/.exec(id) ?? [];
  const found = programKinds.find((known) => known === kind);
  if (found === undefined) return undefined;
  const [seed, start, last] = leading(numbers.map(Number), 3);
  return programCase(seed, found, start, last + 1);
}

/**
 * The cases of a seed.
 *
 * @throws {ArgumentError} when the seed is no natural number, or `times` not positive
 */
export function programCases({ seed = DEFAULT_SEED, times = 1 }: ProgramOptions = {}): BehaviourCase[] {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new ArgumentError(`The seed of random programs is a natural number, got ${seed}.`);
  if (!(times > 0 && times <= 1e4))
    throw new ArgumentError(
      `Random programs are run at least once, and at most 10,000 times as many; got ${times}.`,
    );
  return programKinds.flatMap((kind) =>
    Array.from({ length: Math.ceil((COUNTS[kind] * times) / BATCH) }, (_, i) =>
      programCase(seed, kind, i * BATCH, (i + 1) * BATCH),
    ),
  );
}

interface Numbered {
  readonly number: number;
  readonly program: Program;
  /** Undefined where the program is ill-conditioned; an error where core contradicts itself. */
  readonly expected: Trial['expected'] | CoreFault | undefined;
}

function programCase(seed: number, kind: ProgramKind, start: number, end: number): BehaviourCase {
  let made: Numbered[] | undefined;
  const programs = (): Numbered[] =>
    (made ??= Array.from({ length: end - start }, (_, i) => {
      const program = randomProgram(seed, kind, start + i);
      return { number: start + i, program, expected: expectedOrFault(program) };
    }));
  const op = `programs/${kind}`;
  const id = `${op}: seed ${seed}, ${start} to ${end - 1}`;
  return {
    kind: 'behaviour',
    id,
    op,
    aspect: 'programs',
    features: [],
    check: async (backend, unsupported) => {
      const title = (number: number) => `program ${number} of ${kind}, seed ${seed}`;
      const chosen = programs().filter(({ program }) => !isExempt(program, id, op, unsupported));
      const faulty = chosen.find(({ expected }) => expected instanceof CoreFault);
      if (faulty !== undefined) return reportFault(title(faulty.number), faulty.program);
      const batch = chosen.filter(
        (entry): entry is Numbered & Trial =>
          entry.expected !== undefined && findMissingOps(graphOf([entry as Trial]), unsupported).length === 0,
      );
      if (batch.length === 0) return { unsupported: 'every program needs what is unsupported' };
      const { worst, detail } = await attempt(backend, batch);
      return worst <= 1 ? { worst, detail } : reportFailure(backend, batch, title, detail);
    },
  };
}

function expectedOrFault(program: Program): Numbered['expected'] {
  try {
    return expectedOf(program);
  } catch (error) {
    if (error instanceof CoreFault) return error;
    throw error;
  }
}

function isExempt(program: Program, id: string, op: string, unsupported: readonly Unsupported[]): boolean {
  const types = typesOf(program);
  const features: Feature[] = [
    ...(['int32', 'bool'] as const).filter((name) => types.some(({ dtype }) => dtype === name)),
    ...(types.some(({ shape }) => shape.length >= 5) ? (['rank-5'] as const) : []),
    ...(types.some(({ shape }) => sizeOf(shape) === 0) ? (['zero-size'] as const) : []),
  ];
  const facts = { kind: 'behaviour', id, op, aspect: 'programs', features, check: async () => ({}) } as const;
  return findExemption(facts, unsupported) !== undefined;
}

interface Outcome {
  /** Of the worst program; infinite where the backend threw. */
  readonly worst: number;
  readonly detail: string | undefined;
}

async function attempt(backend: Backend, trials: readonly Trial[]): Promise<Outcome> {
  try {
    const verdicts = await execute(backend, trials);
    return verdicts.reduce<Outcome>((worst, verdict) => (verdict.worst > worst.worst ? verdict : worst), {
      worst: 0,
      detail: undefined,
    });
  } catch (error) {
    return {
      worst: Infinity,
      detail: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    };
  }
}

const shrunk = new WeakMap<Backend, number>();

async function reportFailure(
  backend: Backend,
  batch: readonly (Numbered & Trial)[],
  title: (number: number) => string,
  detail: string | undefined,
): Promise<Finding> {
  for (const entry of batch) {
    const alone = await attempt(backend, [entry]);
    if (alone.worst <= 1) continue;
    const found = `${title(entry.number)}: ${alone.detail}`;
    const before = shrunk.get(backend) ?? 0;
    shrunk.set(backend, before + 1);
    if (before >= MOST_SHRUNK)
      return {
        worst: alone.worst,
        detail: `${found}\n(not shrunk, as ${before} others were)\n${programText(entry.program)}`,
      };
    let last = alone;
    const least = await shrink(
      entry.program,
      async (candidate) => {
        const trial = trialOf(candidate);
        if (trial === undefined) return false;
        const outcome = await attempt(backend, [trial]);
        // An error stays an error, and a wrong number one.
        const isSame = outcome.worst > 1 && (outcome.worst === Infinity) === (alone.worst === Infinity);
        if (isSame) last = outcome;
        return isSame;
      },
      MOST_TRIED,
    );
    return {
      worst: alone.worst,
      detail: `${found}\nThe least that still fails: ${last.detail}\n${programText(least)}`,
    };
  }
  return { worst: Infinity, detail: await reportTogether(backend, batch, title, detail) };
}

/** Programs that fail in one graph only: as few of them as do. */
async function reportTogether(
  backend: Backend,
  batch: readonly (Numbered & Trial)[],
  title: (number: number) => string,
  detail: string | undefined,
): Promise<string> {
  let left = batch;
  for (const entry of batch) {
    const fewer = left.filter((other) => other !== entry);
    if (fewer.length > 0 && (await attempt(backend, fewer)).worst > 1) left = fewer;
  }
  const texts = left.map(({ number, program }) => `${title(number)}\n${programText(program)}`);
  return `${detail}\nOnly in one graph, these fail:\n${texts.join('\n')}`;
}

function trialOf(program: Program): Trial | undefined {
  try {
    const expected = expectedOf(program);
    return expected && { program, expected };
  } catch {
    // A change that makes no program.
    return undefined;
  }
}

/** What core gets wrong, before any backend is asked. */
async function reportFault(title: string, program: Program): Promise<Finding> {
  const faultOf = (candidate: Program): CoreFault | undefined => {
    try {
      expectedOf(candidate);
    } catch (error) {
      return error instanceof CoreFault ? error : undefined;
    }
    return undefined;
  };
  const least = await shrink(program, async (candidate) => faultOf(candidate) !== undefined, MOST_TRIED);
  const detail =
    `${title}: core contradicts itself: ${faultOf(program)?.message}\n` +
    `The least that still fails: ${faultOf(least)?.message}\n${programText(least)}`;
  return { worst: Infinity, detail };
}
