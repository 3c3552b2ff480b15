/** The command from source in a process of its own, whose children are then run from source too. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './cli.js';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** A command that was started. */
export interface Started {
  readonly child: ChildProcess;
  /** When the last process that writes to its streams has ended, workers included. */
  readonly end: Promise<Outcome & { readonly signal: NodeJS.Signals | null }>;
}

/** Starts `meanflow` with these arguments, and with changes to the environment. */
export function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): Started {
  return startProgram('../../src/main.ts', args, env, cwd);
}

/** Starts a program, by its path from here. */
export function startProgram(
  program: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): Started {
  const loader = [
    '--conditions',
    '@meanflow/source',
    '--import',
    at('../../../../scripts/typescript-loader.mjs'),
  ];
  const child = spawn(process.execPath, [...loader, at(program), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(cwd && { cwd }),
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  const end = once(child, 'close').then(([status, signal]) => ({ status, signal, out, err }));
  return { child, end };
}
