/** A run that is over in a moment. */
import { writeFile } from 'node:fs/promises';

export const tinyConfig = {
  data: '8-gaussians',
  method: 'meanflow',
  steps: 6,
  batch: 8,
  network: { kind: 'mlp', width: 8, depth: 1, embedding: { kind: 'fourier', frequencies: 2 } },
  ema: { decays: [0.5] },
  sampling: { ema: 0.5, nfe: [1, 2] },
  evaluation: { samples: 50 },
  logEvery: 2,
  checkpointEvery: 3,
};

export async function writeJson(path: string, value: unknown): Promise<string> {
  await writeFile(path, JSON.stringify(value));
  return path;
}
