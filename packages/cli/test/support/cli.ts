/** The command in this process, with what it wrote; and folders that are gone after the test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/program.js';

export interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `meanflow` with these arguments. */
export async function meanflow(...args: string[]): Promise<Outcome> {
  let [out, err] = ['', ''];
  const status = await run(args, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    isInteractive: false,
  });
  return { status, out, err };
}

/** Commands that write a file, which tests write again. */
const writing = ['sample', 'save', 'export', 'import', 'statistics'];

/** Runs `meanflow`, over files of an earlier test too, and fails with what it said when it fails. */
export async function succeed(...args: string[]): Promise<Outcome> {
  const isList = args.includes('--list');
  const outcome = await meanflow(...args, ...(writing.includes(args[0]) && !isList ? ['--force'] : []));
  if (outcome.status !== 0)
    throw new Error(`meanflow ${args.join(' ')}: status ${outcome.status}\n${outcome.err}`);
  return outcome;
}

/** A folder for all tests of a file, removed at the end. */
export function temporaryFolder(): { path(...parts: string[]): string } {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'meanflow-cli-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return { path: (...parts) => join(folder, ...parts) };
}
