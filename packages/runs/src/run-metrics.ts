/** The last logged metrics of a run's folder, for people. */
import { stat } from 'node:fs/promises';
import { readRunMetrics } from '@meanflow/training/node';

/** Names and values, to be listed; none for a checkpoint file, or where nothing was logged. */
export async function readLastMetrics(path: string): Promise<(readonly [string, string])[]> {
  if (!(await stat(path)).isDirectory()) return [];
  const records = await readRunMetrics(path);
  const last = records[records.length - 1];
  if (last === undefined) return [];
  const { step, ...metrics } = last;
  const text = Object.entries(metrics).map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`);
  return [['last logged', `step ${step}: ${text.join(', ')}`]];
}
