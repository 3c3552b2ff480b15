/** Runs that diverge: what is said, what is saved, and how they go on. */
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { encodeNpz } from '@meanflow/formats';
import { HostArray } from '@meanflow/core';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { tinyConfig, writeJson } from './support/tiny.js';

const folder = temporaryFolder();
const divergences = async (run: string) =>
  (await readFile(folder.path(run, 'divergences.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
/** A rate that overshoots more with every step. */
const fast = { learningRate: 1e12, schedule: 'constant', warmUpSteps: 5 };

it('data of 1e30 are called by their name', async () => {
  const latents = new HostArray(
    'float32',
    [64, 4, 4, 4],
    Float32Array.from({ length: 4096 }, (_, i) => 1e30 * Math.sin(i)),
  );
  await writeFile(folder.path('l30.npz'), encodeNpz({ latents }));
  const config = {
    ...{
      data: folder.path('l30.npz'),
      steps: 30,
      batch: 16,
      method: 'meanflow',
      conditional: false,
    },
    ...{ network: { kind: 'residual-mlp', width: 16, depth: 1 }, logEvery: 10, checkpointEvery: 10 },
  };
  const outcome = await meanflow(
    'train',
    '--config',
    await writeJson(folder.path('l30.json'), config),
    '--out',
    folder.path('l30'),
  );
  expect(outcome.status).toBe(1);
  expect(outcome.err).toMatch(
    /The loss at step 1 is NaN[^]*Look at the data: in the batch of step 1, "x" reaches \d\.\d\de\+(29|30)/,
  );
  expect(outcome.err).not.toMatch(/[Ll]ower the learning rate|--learning-rate/);
  expect(await divergences('l30')).toMatchObject([{ step: 1, cause: 'data', action: 'stopped' }]);
});

it('stops with the state before it, says how to go on, and goes on so', async () => {
  const config = await writeJson(folder.path('fast.json'), { ...tinyConfig, steps: 40, optimizer: fast });
  const outcome = await meanflow('train', '--config', config, '--out', folder.path('fast'));
  expect(outcome.status).toBe(1);
  const [report] = (await divergences('fast')) as [{ step: number; learningRate: number }];
  const how = new RegExp(
    `npx meanflow train --resume \\S*fast --learning-rate ${Number((report.learningRate / 2).toPrecision(3))}`.replaceAll(
      '+',
      '\\+',
    ),
  );
  expect(outcome.err).toMatch(how);
  expect(outcome.err).toContain(`step ${report.step}`);
  const saved = `step-${String(report.step - 1).padStart(8, '0')}.safetensors`;
  expect(await readdir(folder.path('fast', 'checkpoints'))).toContain(saved);
  // What the rate has done by then is not undone by a smaller one.
  const resumed = await meanflow('train', '--resume', folder.path('fast'), '--learning-rate', '1e-3');
  expect(resumed.err).toContain(`From step ${report.step - 1} (`);
  expect(resumed.err).toMatch(
    /Learning rate, over 40 steps: it was 200000000000 at step 2, is 0\.0004 at step 3, and from the end of the warm-up stays there\./,
  );
  const { optimizer } = JSON.parse(await readFile(folder.path('fast', 'config.json'), 'utf8'));
  expect(optimizer.learningRate).toBe(1e-3);
});

it('goes back by itself, keeps to the smaller rate when it goes on, and forgets it where a rate is given', async () => {
  const settings = {
    ...tinyConfig,
    steps: 12,
    optimizer: { ...fast, learningRate: 1e16 },
    onDivergence: 'back',
  };
  const config = await writeJson(folder.path('back.json'), settings);
  const outcome = await meanflow('train', '--config', config, '--out', folder.path('back'));
  const told = (await divergences('back')) as { action: string }[];
  expect(told[0].action).toBe('went back');
  expect(outcome.err).toContain('Going back to the last checkpoint, with half the learning rate.');
});

it('skips with a flag, which a run can be given when it goes on', async () => {
  const config = await writeJson(folder.path('skip.json'), tinyConfig);
  await succeed('train', '--config', config, '--out', folder.path('skip'), '--on-divergence', 'skip');
  await succeed('train', '--config', config, '--out', folder.path('plain'));
  expect(await readFile(folder.path('skip', 'metrics.jsonl'), 'utf8')).toContain('"step":6');
  expect((await succeed('sample', folder.path('skip'), '--out', '-')).out).toBe(
    (await succeed('sample', folder.path('plain'), '--out', '-')).out,
  );
  await copyFile(folder.path('plain', 'config.json'), folder.path('copy.json'));
  await succeed('train', '--resume', folder.path('plain'), '--steps', '9', '--on-divergence', 'skip');
});

it('says the course of the learning rate past the plan', async () => {
  const optimizer = { learningRate: 0.01, schedule: 'cosine', warmUpSteps: 0 };
  const config = await writeJson(folder.path('plan.json'), { ...tinyConfig, steps: 10, optimizer });
  await succeed('train', '--config', config, '--out', folder.path('plan'));
  const { err } = await succeed('train', '--resume', folder.path('plan'), '--steps', '20');
  expect(err).toContain(
    'Learning rate, over 20 steps in place of 10: it was 0.000245 at step 10, is 0.005 at step 11, and from there follows its cosine ' +
      'to 0.0000616.',
  );
  expect((await succeed('train', '--resume', folder.path('plan'))).err).not.toContain('Learning rate, over');
});
