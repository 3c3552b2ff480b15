/** A device that goes away in the middle of a run: the error says which checkpoint is left, and how to go on. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DeviceLostError, type Backend } from '@meanflow/core';
import { RunDirectory, trainInDirectory } from '../../src/node.js';
import { withFolder } from '../support/child.js';
import { float32Backend } from '../support/float32-backend.js';
import { tinyTrainer } from '../support/tiny-problem.js';

/** A backend whose device goes away at its n-th run. */
function lostAt(run: number): Backend {
  const backend = float32Backend();
  let runs = 0;
  return {
    ...backend,
    compile: async (graph, options) => {
      const executable = await backend.compile(graph, options);
      return {
        ...executable,
        run: async (...given) => {
          if (++runs >= run) throw new DeviceLostError('test:gpu', 'unknown: it hung');
          return executable.run(...given);
        },
      };
    },
  };
}

async function trainOn(backend: Backend, folder: string) {
  await using trainer = await tinyTrainer(backend);
  await using run = await RunDirectory.create(join(folder, 'run'), { seed: 1 });
  return await trainInDirectory(trainer, { run, info: {}, steps: 9, checkpointEvery: 3 });
}

it('names the last checkpoint', () =>
  withFolder(async (folder) => {
    const training = trainOn(lostAt(8), folder);
    await expect(training).rejects.toThrow(DeviceLostError);
    const path = join(folder, 'run');
    const [last] = readdirSync(join(path, 'checkpoints')).sort().reverse();
    expect(last).toContain('6');
    await expect(training).rejects.toThrow(
      `lost (unknown: it hung; the last checkpoint is ${join(path, 'checkpoints', last)}; go on from it with ` +
        `\`npx meanflow train --resume ${path}\`)`,
    );
    await using trainer = await tinyTrainer(float32Backend());
    await using run = await RunDirectory.resume(path);
    const summary = await trainInDirectory(trainer, { run, info: {}, steps: 9 });
    expect(summary).toMatchObject({ resumedFrom: 6, step: 9, completed: true });
  }));

it('says that there is none', () =>
  withFolder(async (folder) => {
    await expect(trainOn(lostAt(2), folder)).rejects.toThrow(
      'the run has no checkpoint yet, and is to be begun again',
    );
  }));
