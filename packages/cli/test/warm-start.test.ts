/** `meanflow train --init`: a run that begins with another run's parameters, or with those of an imported model. */
import { readFile, rm } from 'node:fs/promises';
import { type HostArray, treePaths, type Tree } from '@meanflow/core';
import { readTensor } from '@meanflow/formats';
import { openModel } from '@meanflow/checkpoints/node';
import { readCheckpoint } from '@meanflow/training';
import { loadCheckpoint } from '@meanflow/training/node';
import { fileAccess } from '@meanflow/formats/node';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { networks, writeNetwork } from './support/published.js';
import { tinyConfig, writeJson } from './support/tiny.js';

const folder = temporaryFolder();
const path = folder.path;

/** Flow matching with a network that does not see the interval. */
const before = {
  ...tinyConfig,
  method: 'flow-matching',
  network: { ...tinyConfig.network, kind: 'residual-mlp', times: 't' },
  sampling: { ema: 0.5, nfe: [1] },
};
const { data: _, network: __, ...rest } = tinyConfig;

beforeAll(async () => {
  const config = await writeJson(path('before.json'), before);
  await succeed('train', '--config', config, '--out', path('before'));
  await writeJson(path('after.json'), rest);
});

/** Values of a part of a checkpoint, by path. */
async function valuesOf(file: string, part: string): Promise<Record<string, number[]>> {
  const { tensors } = file.endsWith('.safetensors')
    ? await readCheckpoint(await fileAccess(file))
    : await loadCheckpoint(file);
  const found: Record<string, number[]> = {};
  for (const [name, tensor] of tensors) {
    if (name.startsWith(`${part}/`))
      found[name.slice(part.length + 1)] = Array.from((await readTensor(tensor)).data, Number);
  }
  return found;
}

const beginning = (run: string): string => path(run, 'checkpoints', 'step-00000000.safetensors');

async function configOf(run: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(path(run, 'config.json'), 'utf8')) as Record<string, unknown>;
}

it('takes the network and the data of the run, and the parameters of its average bit for bit', async () => {
  const { err } = await succeed(
    'train',
    '--init',
    path('before'),
    '--config',
    path('after.json'),
    '--out',
    path('same'),
  );
  const average = await valuesOf(path('before'), 'ema/0.5');
  expect(await valuesOf(beginning('same'), 'params')).toEqual(average);
  expect(await valuesOf(beginning('same'), 'ema/0.5')).toEqual(average);
  expect(err).toContain(
    `It begins with ${path('before')} (Flow matching, step 6). All ${Object.keys(average).length} parameters are taken`,
  );
  expect(err).not.toContain('the initial network');
  const { init, network, data, method } = await configOf('same');
  expect({ network, data, method }).toEqual({
    network: before.network,
    data: '8-gaussians',
    method: 'meanflow',
  });
  expect(init).toEqual({
    path: path('before'),
    average: 0.5,
    digest: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(await valuesOf(path('same'), 'params')).not.toEqual(average);
});

it('takes the parameters themselves, or another average, where that is asked for', async () => {
  const begin = ['train', '--init', path('before'), '--config', path('after.json'), '--init-average'];
  await succeed(...begin, 'none', '--out', path('no-average'));
  expect(await valuesOf(beginning('no-average'), 'params')).toEqual(await valuesOf(path('before'), 'params'));
  const { status, err } = await meanflow(...begin, '0.9', '--out', path('other-average'));
  expect(status).toBe(2);
  expect(err).toContain('the run keeps no average "0.9". Known are 0.5, none.');
});

it('adds an interval that changes nothing at first, and says so', async () => {
  const config = await writeJson(path('interval.json'), { ...rest, network: { times: 't-and-h' } });
  const { err } = await succeed(
    'train',
    '--init',
    path('before'),
    '--config',
    config,
    '--out',
    path('interval'),
  );
  const [old, begun] = [
    await valuesOf(path('before'), 'ema/0.5'),
    await valuesOf(beginning('interval'), 'params'),
  ];
  expect(begun).toMatchObject(old);
  expect(begun['condition/embedders/1/out/kernel']!.every((value) => value === 0)).toBe(true);
  expect(err).toContain(
    'New, from zero, which changes nothing at first: condition/embedders/1/out/bias, condition/embedders/1/out/kernel.',
  );
  // The same samples in one step of Euler, in which h is 1.
  const sampled = async (run: string): Promise<unknown> => {
    await succeed(
      'sample',
      run,
      '--solver',
      'euler',
      '--nfe',
      '2',
      '--count',
      '4',
      '--average',
      '0.5',
      '--out',
      path('samples.json'),
    );
    return (JSON.parse(await readFile(path('samples.json'), 'utf8')) as { samples: unknown }).samples;
  };
  expect(await sampled(beginning('interval'))).toEqual(await sampled(path('before')));
});

it('goes on to the same bytes without what it began with', async () => {
  const other = path('moved-away');
  await succeed('train', '--config', path('before.json'), '--out', other);
  const run = ['train', '--init', other, '--config', path('after.json')];
  await succeed(...run, '--out', path('straight'));
  await succeed(...run, '--out', path('resumed'));
  await rm(other, { recursive: true });
  await rm(path('resumed', 'final.safetensors'));
  await rm(path('resumed', 'checkpoints', 'step-00000003.safetensors'));
  const { err } = await succeed('train', '--resume', path('resumed'));
  expect(err).toContain('From step 0');
  const final = (name: string) => readFile(path(name, 'final.safetensors'));
  expect((await final('resumed')).equals(await final('straight'))).toBe(true);

  await rm(path('resumed', 'final.safetensors'));
  await rm(path('resumed', 'checkpoints'), { recursive: true });
  const lost = await meanflow('train', '--resume', path('resumed'));
  expect(lost.status).toBe(1);
  expect(lost.err).toContain(
    `the run was to begin with the parameters of "${other}", and did not come to keep them`,
  );
});

it('begins with an imported model, whose classes are known by their numbers', async () => {
  const config = networks.dit;
  const source = await writeNetwork(path('published'), config);
  await succeed(
    'import',
    source,
    '--config',
    await writeJson(path('dit.json'), config),
    '--out',
    path('model.safetensors'),
  );
  const { params } = await openModel(path('model.safetensors'));
  const shapes = await writeJson(path('shapes.json'), { data: 'shapes', batch: 2, steps: 1 });
  const { err } = await succeed(
    'train',
    '--init',
    path('model.safetensors'),
    '--config',
    shapes,
    '--out',
    path('imported'),
  );
  const imported = Object.fromEntries(
    treePaths<HostArray>(params as Tree<HostArray>).map(({ path, leaf }) => [
      path,
      Array.from(leaf.data, Number),
    ]),
  );
  const begun = await valuesOf(beginning('imported'), 'params');
  const qkv = 'blocks/0/attention/qkv/kernel';
  expect(begun[qkv]).toEqual(imported[qkv]);
  // Three classes of ten, and the null class after them.
  const table = 'condition/label/table';
  expect(begun[table]!.slice(0, 24)).toEqual(imported[table]!.slice(0, 24));
  expect(begun[table]!.slice(80)).toEqual(imported[table]!.slice(24));
  expect(err).toContain(
    'By rows: condition/label/table: taken class 0, class 1, class 2, no class; new, from zero, class 3',
  );
  expect((await configOf('imported')).init).toMatchObject({ path: path('model.safetensors') });
});

it('says what will not do', async () => {
  const refused = async (...args: string[]): Promise<string> => {
    const { status, err } = await meanflow('train', '--out', path('refused'), ...args);
    expect(status).not.toBe(0);
    return err;
  };
  const other = await writeJson(path('mlp.json'), tinyConfig);
  expect(await refused('--init', path('before'), '--config', other)).toContain(
    'The parameters are those of a network of kind "residual-mlp", and this one is of kind "mlp".',
  );
  expect(await refused('--init', path('nowhere'))).toContain('nowhere');
  expect(await refused('--init-average', '0.5')).toContain('give --init too');
  const goingOn = await meanflow('train', '--resume', path('before'), '--init', path('same'));
  expect(goingOn.err).toContain('--init cannot change with --resume');
});
