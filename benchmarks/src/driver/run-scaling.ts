/** How this project's train step grows: with the batch, the depth and the tokens of w2, and with the length of a run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeCase } from '../case-folder.js';
import { imageDit, type TrainCase } from '../cases.js';
import { contestants } from '../contestants.js';
import type { Machine } from './machine.js';
import type { Effort } from './run-case.js';
import { median } from './statistics.js';
import { startWorker } from './worker.js';

/** One size. Times are milliseconds of a step. */
export interface ScalingRow {
  /** Such as `batch` and 16. */
  readonly of: string;
  readonly value: number;
  readonly median: number;
  readonly minimum: number;
  readonly firstStepSeconds: number;
  readonly peakMb: number | undefined;
}

export interface ScalingResult {
  readonly rows: readonly ScalingRow[];
  /** Medians of equal parts of one run, in their order. */
  readonly length: { readonly steps: number; readonly parts: readonly number[] };
}

const size = (of: string, value: number, batch: number, fields: Parameters<typeof imageDit>[0] = {}) =>
  ({ of, value, batch, network: imageDit(fields) }) as const;

const sizes = [
  ...[1, 4, 16, 64].map((batch) => size('batch', batch, batch)),
  ...[3, 6, 12, 24].map((depth) => size('depth', depth, 16, { depth })),
  // Attention's products grow with the square; at this width they are a small part up to a thousand tokens.
  ...[16, 32, 64, 128].map((side) => size('tokens', (side / 4) ** 2, 4, { featureShape: [side, side, 3] })),
];

const PARTS = 5;

export async function runScaling(
  machine: Machine,
  { rounds, turn }: Effort,
  log: (line: string) => void,
): Promise<ScalingResult> {
  const rows: ScalingRow[] = [];
  for (const { of, value, batch, network } of sizes) {
    log(`scaling: ${of} ${value}`);
    const { times, ...measured } = await measure({ batch, network }, machine, (wall) => Math.ceil((rounds * turn) / wall / 2)); // prettier-ignore
    rows.push({ of, value, median: median(times), minimum: Math.min(...times), ...measured });
  }
  const steps = 20 * PARTS * Math.ceil(rounds / 2);
  log(`scaling: ${steps} steps`);
  const { times } = await measure({ batch: 16, network: imageDit() }, machine, () => steps);
  const part = (i: number): number => median(times.slice((i * steps) / PARTS, ((i + 1) * steps) / PARTS));
  return { rows, length: { steps, parts: Array.from({ length: PARTS }, (_, i) => part(i)) } };
}

/** @param count how many steps, by the milliseconds of one */
async function measure(
  { batch, network }: Pick<TrainCase, 'batch' | 'network'>,
  machine: Machine,
  count: (wall: number) => number,
): Promise<Pick<ScalingRow, 'firstStepSeconds' | 'peakMb'> & { readonly times: readonly number[] }> {
  const folder = mkdtempSync(join(machine.scratch, 'scaling-'));
  try {
    writeCase(folder, {
      ...{
        name: 'scaling',
        title: '',
        task: 'train',
        objective: 'meanflow',
        contestants: ['meanflow'],
        memory: 0,
      },
      ...{ batch, network },
    });
    const worker = await startWorker(contestants.meanflow.command(folder, machine));
    const [first] = await worker.time(1);
    const times = (await worker.time(Math.max(3, count(first?.[0] ?? 1)))).map(([wall]) => wall);
    return { times, firstStepSeconds: worker.firstStepSeconds, peakMb: await worker.end() };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
