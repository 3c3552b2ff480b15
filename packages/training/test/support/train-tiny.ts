/** Training of the tiny problem in a run directory, the same in the test's process and in one that is killed. */
import { readFile } from 'node:fs/promises';
import type { MlpParameters } from '@meanflow/models';
import type { MetricsRecord } from '../../src/index.js';
import {
  finalCheckpointPath,
  readRunMetrics,
  trainInDirectory,
  type RunDirectory,
  type RunSummary,
  type TrainInDirectoryOptions,
} from '../../src/node.js';
import { float32Backend } from './float32-backend.js';
import { tinyTrainer, type TinyOptions } from './tiny-problem.js';

export type TrainTinyOptions = TinyOptions &
  Pick<TrainInDirectoryOptions<MlpParameters>, 'checkCheckpoint' | 'onDamage' | 'onResume' | 'signal'> & {
    /** Called after each step; waited for. */
    readonly onStep?: (step: number) => unknown;
  };

export async function trainTiny(
  run: RunDirectory,
  steps: number,
  options: TrainTinyOptions = {},
): Promise<RunSummary> {
  await using trainer = await tinyTrainer(float32Backend(), options);
  const { checkCheckpoint, onDamage, onResume, signal, onStep } = options;
  return await trainInDirectory(trainer, {
    run,
    steps,
    info: { problem: 'ring' },
    logEvery: 1,
    checkpointEvery: 5,
    keepCheckpoints: 2,
    onMetrics: async ({ step }) => void (await onStep?.(step)),
    checkCheckpoint,
    onDamage,
    onResume,
    signal,
  });
}

/** Everything in a finished run that does not depend on the clock. */
export async function outcomeOf(
  folder: string,
): Promise<{ final: Buffer; metrics: Record<string, number>[] }> {
  const timeless = ({ samplesPerSecond: _, ...rest }: MetricsRecord): Record<string, number> => rest;
  const metrics = (await readRunMetrics(folder)).map(timeless);
  return { final: await readFile(finalCheckpointPath(folder)), metrics };
}
