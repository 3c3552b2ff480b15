/** A trainer that is killed without warning, again and again, and started again: nothing may show. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { RunDirectory } from '../../src/node.js';
import { ended, startChild, withFolder } from '../support/child.js';
import { outcomeOf, trainTiny } from '../support/train-tiny.js';

const STEPS = 60;
/** Steps that a run can make between hearing of a step and being killed; it then waits. */
const GRACE = 8;

/** Trains in a process of its own, which is killed at some moment after it prints a step. */
async function trainAndKill(folder: string, step: number): Promise<number | string> {
  const child = startChild('train-worker.ts', [folder, String(STEPS), String(step + GRACE)]);
  for await (const line of createInterface(child.stdout!)) if (Number(line) >= step) break;
  await new Promise((resolve) => setTimeout(resolve, 50 * Math.random()));
  child.kill('SIGKILL');
  return ended(child);
}

it('a run killed at random steps ends with the same bytes as one that was not', () =>
  withFolder(async (folder) => {
    const whole = join(folder, 'whole');
    const run = await RunDirectory.create(whole, { tiny: true });
    await trainTiny(run, STEPS);
    await run.close();

    const killed = join(folder, 'killed');
    const random = (): number => 1 + Math.floor(Math.random() * (STEPS - GRACE - 1));
    const steps = [random(), random(), random()].sort((a, b) => a - b);
    for (const step of steps) expect(await trainAndKill(killed, step)).toBe('SIGKILL');
    expect(existsSync(join(killed, 'final.safetensors'))).toBe(false);
    expect(await ended(startChild('train-worker.ts', [killed, String(STEPS)]))).toBe(0);
    expect(await outcomeOf(killed)).toEqual(await outcomeOf(whole));
  }));
