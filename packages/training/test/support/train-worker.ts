/**
 * Trains the tiny problem in a run directory and prints each step: `train-worker.ts <directory> <steps> [hold]`. It
 * begins the run, or goes on with it. From step `hold` on it waits to be killed.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RunDirectory } from '../../src/node.js';
import { trainTiny } from './train-tiny.js';

const [directory, steps, hold] = process.argv.slice(2);
const isNew = !existsSync(join(directory, 'config.json'));
const run = isNew
  ? await RunDirectory.create(directory, { tiny: true })
  : await RunDirectory.resume(directory);
await trainTiny(run, Number(steps), {
  onStep: async (step) => {
    process.stdout.write(`${step}\n`);
    if (step >= Number(hold)) await sleep(600_000);
  },
});
await run.close();
