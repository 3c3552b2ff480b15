/** Runs one of the programs beside this file in a process of its own, to be killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const at = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Starts a program with the sources of this workspace. Its standard error shows in the test's output. */
export function startChild(program: string, args: readonly string[]): ChildProcess {
  const options = [
    '--conditions',
    '@meanflow/source',
    '--import',
    at('../../../../scripts/typescript-loader.mjs'),
  ];
  return spawn(process.execPath, [...options, at(program), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** How a process ended: its exit code, or the signal that killed it. */
export async function ended(child: ChildProcess): Promise<number | string> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode ?? child.signalCode ?? 'unknown';
}

/** Calls `test` with a folder of its own, which is removed afterwards. */
export async function withFolder<T>(test: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'meanflow-training-'));
  try {
    return await test(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
