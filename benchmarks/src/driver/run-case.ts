/**
 * A case: its numbers are laid down, every contestant that the machine has is started and compared with this project's
 * gradient, and then they take turns. As many live at once as memory allows; where not all do, they run in groups, each of which has this
 * project in it, so that a ratio is always of two that took turns.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Case } from '../cases.js';
import { contestants, type Contestant, type ContestantName, type Side } from '../contestants.js';
import { writeCase } from '../case-folder.js';
import { differences, disagreements, type Differences } from './agreement.js';
import { availableMemory, busyTime, type Machine } from './machine.js';
import { median } from './statistics.js';
import { startWorker, type Command, type Compared, type StepTime, type Worker } from './worker.js';

export interface Effort {
  /** Turns that each takes. */
  readonly rounds: number;
  /** Milliseconds of a turn, about. */
  readonly turn: number;
}

/** A contestant's figures. Times are milliseconds of a step. */
export interface Row {
  readonly name: ContestantName;
  readonly title: string;
  readonly side: Side;
  readonly median: number;
  readonly minimum: number;
  readonly cpu: number;
  readonly steps: number;
  /** Turns in which nothing else was at work, of all; the median is of these, where there are any. */
  readonly cleanRounds: number;
  readonly rounds: number;
  /** Its median over this project's of the same group: above 1, this project is faster. */
  readonly ratio: number;
  readonly peakMb: number | undefined;
  readonly importSeconds: number;
  readonly firstStepSeconds: number;
  readonly differences: Differences;
}

export interface CaseResult {
  readonly name: string;
  readonly title: string;
  readonly task: Case['task'];
  readonly rows: readonly Row[];
  /** Who did not take part, and why. */
  readonly absent: readonly { readonly title: string; readonly why: string }[];
}

/** A share of the processors that other work may take in a turn. */
const OTHERS = 0.08;

export async function runCase(
  benchmark: Case,
  machine: Machine,
  { rounds, turn }: Effort,
  log: (line: string) => void,
): Promise<CaseResult> {
  const folder = mkdtempSync(join(machine.scratch, `${benchmark.name}-`));
  try {
    writeCase(folder, benchmark);
    const absent: CaseResult['absent'][number][] = [];
    const present: ContestantName[] = [];
    for (const name of benchmark.contestants) {
      const { title, absence, same }: Contestant = contestants[name];
      const why = absence(machine) ?? same?.(machine);
      if (why === undefined) present.push(name);
      else absent.push({ title, why });
    }
    const [base, ...others] = present;
    if (base === undefined) throw new Error(`Nobody can run ${benchmark.name} here.`);
    let expected = await gradientsOf(benchmark, contestants[base].command(folder, machine));
    const rows: Row[] = [];
    const limit = Math.max(2, Math.floor((0.8 * availableMemory()) / benchmark.memory));
    for (let from = 0; from === 0 || from < others.length; from += limit - 1) {
      const group = [base, ...others.slice(from, from + limit - 1)];
      const running: Running[] = [];
      for (const name of group) {
        log(`${benchmark.name}: starting ${contestants[name].title}`);
        try {
          const started = await start(name, contestants[name].command(folder, machine), expected);
          expected ??= started.worker.compared;
          running.push(started);
        } catch (error) {
          absent.push({ title: contestants[name].title, why: `it failed: ${(error as Error).message}` });
        }
      }
      await takeTurns(running, rounds, turn);
      const found = await Promise.all(running.map(figures));
      const ours = found.find(({ name }) => name === base)?.median ?? NaN;
      const known = new Set(rows.map(({ name }) => name));
      rows.push(
        ...found.filter(({ name }) => !known.has(name)).map((row) => ({ ...row, ratio: row.median / ours })),
      );
    }
    const { name, title, task } = benchmark;
    return { name, title, task, rows, absent };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the others are compared with. Samples are compared with those of the first contestant. */
async function gradientsOf({ task }: Case, command: Command): Promise<Compared | undefined> {
  if (task === 'sample') return undefined;
  const worker = await startWorker({ ...command, args: [...command.args, 'gradients'] });
  await worker.end();
  return worker.compared;
}

interface Running {
  readonly name: ContestantName;
  readonly worker: Worker;
  readonly differences: Differences;
  readonly turns: { readonly isClean: boolean; readonly times: readonly StepTime[] }[];
}

/**
 * @param expected what it is compared with; the first of them where nothing is
 * @throws {Error} when it does not compute the same numbers
 */
async function start(
  name: ContestantName,
  command: Command,
  expected: Compared | undefined,
): Promise<Running> {
  const worker = await startWorker(command);
  const found = differences(worker.compared, expected ?? worker.compared);
  const wrong = disagreements(found);
  if (wrong.length > 0) {
    await worker.end();
    throw new Error(`not the same numbers (${wrong.map((each) => `${each} differs by ${found[each]!.toExponential(1)}`).join(', ')})`); // prettier-ignore
  }
  return { name, worker, differences: found, turns: [] };
}

async function takeTurns(running: readonly Running[], rounds: number, turn: number): Promise<void> {
  const counts = new Map<Running, number>();
  for (const each of running) {
    const [[wall]] = (await each.worker.time(1)) as [StepTime];
    counts.set(each, Math.max(2, Math.min(200, Math.round(turn / wall))));
  }
  for (let round = 0; round < rounds; round++) {
    for (const each of running) {
      // Threads of the one before may still be spinning.
      await new Promise((resolve) => setTimeout(resolve, 50));
      const [busy, began] = [busyTime(), performance.now()];
      const times = await each.worker.time(counts.get(each)!);
      const elapsed = performance.now() - began;
      const own = times.reduce((sum, [, cpu]) => sum + cpu, 0);
      const share = busy === undefined ? 0 : (busyTime()! - busy - own) / elapsed;
      each.turns.push({ isClean: share < OTHERS, times });
    }
  }
}

async function figures({ name, worker, differences, turns }: Running): Promise<Omit<Row, 'ratio'>> {
  const { title, side }: Contestant = contestants[name];
  const clean = turns.filter(({ isClean }) => isClean);
  const all = turns.flatMap(({ times }) => times);
  const counted = clean.length > 0 ? clean.flatMap(({ times }) => times) : all;
  return {
    ...{ name, title, side, differences, rounds: turns.length, cleanRounds: clean.length, steps: all.length },
    median: median(counted.map(([wall]) => wall)),
    minimum: Math.min(...all.map(([wall]) => wall)),
    cpu: median(all.map(([, cpu]) => cpu)),
    peakMb: await worker.end(),
    importSeconds: worker.importSeconds,
    firstStepSeconds: worker.firstStepSeconds,
  };
}

/** The first loss and the norm of its gradient, by this project. */
export async function reference(benchmark: Case, machine: Machine): Promise<Compared> {
  const folder = mkdtempSync(join(machine.scratch, `${benchmark.name}-`));
  try {
    writeCase(folder, benchmark);
    return (await gradientsOf(benchmark, contestants.meanflow.command(folder, machine))) ?? {};
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
