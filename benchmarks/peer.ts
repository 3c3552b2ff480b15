/**
 * A peer in another process: a program that prints `ready` with a line of JSON and then answers each line that it is
 * given with a line of JSON.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Peer<First> {
  readonly name: string;
  /** What stood behind `ready`. */
  readonly first: First;
  /** The answer to a line. */
  ask(line: string): Promise<unknown>;
  /** Lets it end. */
  end(): void;
}

/** Starts a peer; `undefined`, with the reason printed, when it cannot run here. */
export async function startPeer<First>(
  name: string,
  command: string,
  args: readonly string[],
): Promise<Peer<First> | undefined> {
  const child = spawn(command, args, { stdio: 'pipe' });
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  child.on('error', (error) => (errors += error.message));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  for (let line = await lines.next(); !line.done; line = await lines.next()) {
    if (!line.value.startsWith('ready ')) continue;
    return {
      name,
      first: JSON.parse(line.value.slice(6)) as First,
      ask: async (question) => {
        child.stdin.write(`${question}\n`);
        const answer = await lines.next();
        if (answer.done) throw new Error(`${name} ended: ${errors.trim().split('\n').at(-1)}`);
        return JSON.parse(answer.value) as unknown;
      },
      end: () => child.stdin.end(),
    };
  }
  console.log(`${name}: not run here (${errors.trim().split('\n').at(-1)})`);
  return undefined;
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
