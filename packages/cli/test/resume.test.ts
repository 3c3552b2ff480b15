/** `meanflow train` on ONNX Runtime, killed without warning and taken up again: the model must not know. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRunMetrics } from '@meanflow/training/node';
import { start, type Started } from './support/process.js';

/** Long enough that a run cannot end between hearing that it should be killed and being killed. */
const STEPS = 1500;
const config = {
  data: '8-gaussians',
  method: 'meanflow',
  steps: STEPS,
  batch: 32,
  network: { kind: 'mlp', width: 16, depth: 2, embedding: { kind: 'fourier', frequencies: 2 } },
  ema: { decays: [0.9, 0.999] },
  sampling: { ema: 0.999 },
  logEvery: 10,
  checkpointEvery: 100,
};

/** How a command ended: its status, or the signal that killed it. */
async function ended({ end }: Started): Promise<number | string | null> {
  const { status, signal } = await end;
  return status ?? signal;
}

/** Waits until a run has logged a step, then kills it. */
async function killAfter(started: Started, folder: string, step: number): Promise<number | string | null> {
  const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
  const reached = async () => ((await readRunMetrics(folder)).at(-1)?.step ?? 0) >= step;
  while (started.child.exitCode === null && !(await reached())) await pause();
  started.child.kill('SIGKILL');
  return ended(started);
}

it('a run killed at random steps ends with the same bytes as one that was not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'meanflow-resume-'));
  try {
    const [file, whole, killed] = ['config.json', 'whole', 'killed'].map((name) => join(folder, name));
    await writeFile(file, JSON.stringify(config));
    expect(await ended(start(['train', '--config', file, '--out', whole]))).toBe(0);

    const [first, second] = [Math.random(), Math.random()]
      .map((part) => Math.ceil(part * 400))
      .sort((a, b) => a - b);
    expect(await killAfter(start(['train', '--config', file, '--out', killed]), killed, first)).toBe(
      'SIGKILL',
    );
    expect(await killAfter(start(['train', '--resume', killed]), killed, second)).toBe('SIGKILL');
    expect(existsSync(join(killed, 'final.safetensors'))).toBe(false);
    expect(await ended(start(['train', '--resume', killed]))).toBe(0);

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
