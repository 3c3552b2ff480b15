/**
 * divergences.jsonl in a run's folder: what was found out about each step that was not finite, and what was done about it, one JSON
 * object a line, in the order in which it happened. It is there only where something did.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { explainFileErrors } from '@meanflow/formats/node';
import type { DivergenceReport } from '../divergence.js';
import type { DivergenceAction } from '../train-options.js';
import { writeAll } from './atomic-file.js';
import { checkWithin } from './directories.js';

const NAME = 'divergences.jsonl';

/** Where the divergences of a run are told. */
export function divergencesPath(run: string): string {
  return join(run, NAME);
}

/** Adds a line. @throws {DataError} when it cannot be written */
export async function appendDivergence(
  run: string,
  report: DivergenceReport,
  action: DivergenceAction,
): Promise<void> {
  const path = divergencesPath(run);
  await explainFileErrors(`"${path}" cannot be written`, async () => {
    await checkWithin(run, path);
    const file = await open(path, 'a');
    try {
      await writeAll(file, `${JSON.stringify({ ...report, action })}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  });
}
