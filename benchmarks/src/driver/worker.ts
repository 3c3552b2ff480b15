/**
 * A worker: a process of its own that repeats one step of a case when asked, and is measured from outside: the time until
 * its imports are done and until its first step is, and its peak of memory.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** How to start one. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** Added to the environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** What a worker says of itself before it is timed; what is there depends on the task. */
export interface Compared {
  readonly losses?: readonly number[];
  readonly gradientNorm?: number;
  readonly norm?: number;
  readonly probe?: number;
}

export type StepTime = readonly [wall: number, cpu: number];

export interface Worker {
  readonly compared: Compared;
  /** Seconds from the start of the process to the end of its imports, and of its first step. */
  readonly importSeconds: number;
  readonly firstStepSeconds: number;
  /** Makes n steps; milliseconds of each. */
  time(n: number): Promise<readonly StepTime[]>;
  /** Ends it. @returns the peak of its resident memory in MB, where the system tells */
  end(): Promise<number | undefined>;
}

/** @throws {Error} with the last of what it complained of, when it ends before it is ready */
export async function startWorker({ program, args, environment = {} }: Command): Promise<Worker> {
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  const child = spawn(program, args, { stdio: 'pipe', env: { ...process.env, ...environment } });
  let errors = '';
  child.stderr.on('data', (chunk) => (errors = (errors + String(chunk)).slice(-20_000)));
  child.on('error', (error) => (errors += error.message));
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const line = await lines.next();
    if (!line.done) return line.value;
    await closed;
    throw new Error(complaint(errors));
  };
  let [importSeconds, firstStepSeconds] = [0, 0];
  for (;;) {
    const line = await next();
    if (line === 'imported') importSeconds = seconds();
    else if (line === 'first') firstStepSeconds = seconds();
    else if (line.startsWith('ready ')) {
      return {
        compared: JSON.parse(line.slice(6)) as Compared,
        importSeconds,
        firstStepSeconds,
        time: async (n) => {
          child.stdin.write(`${n}\n`);
          return JSON.parse(await next()) as StepTime[];
        },
        end: async () => {
          const peak = peakMemory(child.pid);
          child.stdin.end();
          await closed;
          return peak;
        },
      };
    }
  }
}

/** The line that says what was wrong: the last of an exception. */
function complaint(errors: string): string {
  const lines = errors.trim().split('\n');
  return lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? 'it ended without a word';
}

function peakMemory(pid: number | undefined): number | undefined {
  try {
    const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return found?.[1] === undefined ? undefined : Number(found[1]) / 1024;
  } catch {
    return undefined;
  }
}
