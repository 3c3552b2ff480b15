/** `meanflow train` on ONNX Runtime, killed without warning and taken up again: the model must not know. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readRunMetrics } from '@meanflow/training/node';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Long enough that a run cannot end between hearing that it should be killed and being killed. */
const STEPS = 1500;
const config = {
  data: '8-gaussians',
  method: 'meanflow',
  steps: STEPS,
  batch: 32,
  network: { kind: 'mlp', width: 16, depth: 2, embedding: { kind: 'fourier', frequencies: 2 } },
  ema: { decays: [0.9, 0.999] },
  logEvery: 10,
  checkpointEvery: 100,
};

/** Runs the command from source, in a process of its own. */
function meanflow(...args: string[]): ChildProcess {
  const loader = [
    '--conditions',
    '@meanflow/source',
    '--import',
    at('../../../scripts/typescript-loader.mjs'),
  ];
  return spawn(process.execPath, [...loader, at('../src/main.ts'), ...args], { stdio: 'ignore' });
}

/** How a process ended: its exit code, or the signal that killed it. */
async function ended(child: ChildProcess): Promise<number | string | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode ?? child.signalCode;
}

/** Waits until a run has logged a step, then kills it. */
async function killAfter(child: ChildProcess, folder: string, step: number): Promise<number | string | null> {
  const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
  const reached = async () => ((await readRunMetrics(folder)).at(-1)?.step ?? 0) >= step;
  while (child.exitCode === null && !(await reached())) await pause();
  child.kill('SIGKILL');
  return ended(child);
}

it('a run killed at random steps ends with the same bytes as one that was not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'meanflow-resume-'));
  try {
    const [file, whole, killed] = ['config.json', 'whole', 'killed'].map((name) => join(folder, name));
    await writeFile(file, JSON.stringify(config));
    expect(await ended(meanflow('train', '--config', file, '--out', whole))).toBe(0);

    const [first, second] = [Math.random(), Math.random()]
      .map((part) => Math.ceil(part * 400))
      .sort((a, b) => a - b);
    expect(await killAfter(meanflow('train', '--config', file, '--out', killed), killed, first)).toBe(
      'SIGKILL',
    );
    expect(await killAfter(meanflow('train', '--resume', killed), killed, second)).toBe('SIGKILL');
    expect(existsSync(join(killed, 'final.safetensors'))).toBe(false);
    expect(await ended(meanflow('train', '--resume', killed))).toBe(0);

    const final = (run: string) => readFile(join(run, 'final.safetensors'));
    expect((await final(killed)).equals(await final(whole))).toBe(true);
    const losses = async (run: string) =>
      (await readRunMetrics(run)).map(({ step, loss }) => ({ step, loss }));
    expect(await losses(killed)).toEqual(await losses(whole));
    expect((await losses(killed)).length).toBe(1 + STEPS / config.logEvery);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 300_000);
