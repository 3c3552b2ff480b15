/**
 * Runs in which the file system fails, once at each of its calls or at some of them, and then goes on to be whole: every failure is a
 * typed error, leaves checkpoints that are intact, and after it the run ends with the bytes of one that never failed.
 *
 *     node --conditions @meanflow/source --import ./scripts/typescript-loader.mjs packages/training/test/support/faults.ts [every]
 *
 * Fails at every such call, 1 by default. Prints what was tried as JSON; ends with status 1 at the first thing that is not so.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataError } from '@meanflow/core';
import { arm, disarm } from './faulty-file-system.mjs';
import { latestCheckpoint, loadCheckpoint, RunDirectory } from '../../src/node.js';
import { outcomeOf, trainTiny } from './train-tiny.js';

const STEPS = 12;
const every = Number(process.argv[2] ?? 1);
const folder = await mkdtemp(join(tmpdir(), 'meanflow-faults-'));

/** Begins the run of a folder, or goes on with it. */
async function make(run: string): Promise<void> {
  const isNew = !existsSync(join(run, 'config.json'));
  const directory = isNew ? await RunDirectory.create(run, { tiny: true }) : await RunDirectory.resume(run);
  try {
    await trainTiny(directory, STEPS);
  } finally {
    await directory.close();
  }
}

const whole = join(folder, 'whole');
arm(undefined);
await make(whole);
const calls = disarm();
const expected = await outcomeOf(whole);

let failed = 0;
for (const code of ['EIO', 'ENOSPC']) {
  for (let at = 1; at <= calls; at += every) {
    const run = join(folder, `${code}-${at}`);
    arm({ code, at });
    const error: unknown = await make(run).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    disarm();
    // What is cleared away at the end may fail without harm.
    if (error !== undefined) {
      failed++;
      assert(error instanceof DataError, `${code} at call ${at}: ${String(error)}`);
      assert.match(error.message, new RegExp(code), `${code} at call ${at}`);
    }
    if (existsSync(join(run, 'checkpoints'))) {
      const { checkpoint, damaged } = await latestCheckpoint(run, 'fail');
      assert.equal(damaged.length, 0);
      if (checkpoint !== undefined) await loadCheckpoint(run);
    }
    await make(run);
    assert.deepEqual(await outcomeOf(run), expected, `${code} at call ${at}`);
    const left = await readdir(run, { recursive: true });
    assert.deepEqual(
      left.filter((name) => name.endsWith('.tmp')),
      [],
      `${code} at call ${at}`,
    );
    await rm(run, { recursive: true });
  }
}
const short = join(folder, 'short');
arm({ short: true });
await make(short);
const shortCalls = disarm();
assert(shortCalls > calls, 'writes were short');
assert.deepEqual(await outcomeOf(short), expected);
await rm(folder, { recursive: true });
process.stdout.write(
  `${JSON.stringify({ calls, tried: 2 * Math.ceil(calls / every), failed, shortCalls })}\n`,
);
