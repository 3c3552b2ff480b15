/** Settings without a file: `--set`, `--width`, `--average`; what goes before what, and what an error says. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { RunConfig } from '@meanflow/runs/node';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { tinyConfig, writeJson } from './support/tiny.js';

const folder = temporaryFolder();
const { path } = folder;

async function configOf(...parts: string[]): Promise<RunConfig> {
  return JSON.parse(await readFile(path(...parts, 'config.json'), 'utf8')) as RunConfig;
}

let tiny: string;
beforeAll(async () => {
  tiny = await writeJson(path('tiny.json'), { ...tinyConfig, width: 12, network: { kind: 'mlp', depth: 1 } });
  await writeJson(path('twice.json'), { depth: 2, network: { kind: 'mlp', depth: 1 } });
  await writeJson(path('deep.json'), { depth: 1001 });
});

it('--set goes before options, options before the file, the file before the recipe', async () => {
  const set = [
    'network.zeroOutput=true',
    'sampling.nfe[1]=3',
    'optimizer.schedule=linear',
    'evaluation.samples=20',
  ];
  await succeed(
    ...[
      'train',
      '--config',
      tiny,
      '--out',
      path('run'),
      '--depth',
      '2',
      '--steps',
      '2',
      '--average',
      'none,0.7,3000',
    ],
    ...set.flatMap((each) => ['--set', each]),
  );
  const config = await configOf('run');
  expect(config).toMatchObject({
    steps: 2,
    batch: 8,
    network: { kind: 'mlp', width: 12, depth: 2, zeroOutput: true, activation: 'silu' },
    optimizer: { schedule: 'linear', learningRate: 6e-3 },
    ema: { decays: [0.7], halfLives: [3000], rampUp: true },
    sampling: { nfe: [1, 3], ema: null },
    evaluation: { samples: 20 },
  });
  // What stands for other fields is none itself.
  expect(
    Object.keys(config).filter((name) => ['width', 'depth', 'average', 'epochs'].includes(name)),
  ).toEqual([]);
});

it('goes on with --set of what may change, and nothing else', async () => {
  await succeed('train', '--resume', path('run'), '--set', 'steps=3', '--set', 'optimizer.learningRate=0.1');
  expect(await configOf('run')).toMatchObject({ steps: 3, optimizer: { learningRate: 0.1 } });
  const outcome = await meanflow('train', '--resume', path('run'), '--set', 'network.width=3');
  expect(outcome).toMatchObject({ status: 2, out: '' });
  expect(outcome.err).toContain('--set network.width cannot change with --resume');
});

it.each<[string, string[], string]>([
  ['a width that is none', ['--set', 'network.width=0'], '--set network.width: expected more than 0, got 0.'],
  ['before data are opened', ['--data', 'nowhere.csv', '--set', 'stesp=3'], '--set stesp: there is no field "stesp". Did you mean "steps"?'],
  ['a field of another kind', ['--set', 'network.heads=2'], '--set network.heads: network: there is no field "heads". Known are kind, width, depth,'],
  ['what another kind lacks', ['--set', 'network.kind=dit', '--width', '8'], '--set network.kind:\n  network.patchSize: expected a number, got nothing.'],
  ['a depth that the network refuses', ['--depth', '1001'], '--depth: network.depth: expected at most 1000, got 1001.'],
  ['an option and --set', ['--width', '8', '--set', 'network.width=8'], 'Give --width or --set network.width, not both.'],
  ['--set twice', ['--set', 'batch=8', '--set', 'batch=9'], '--set batch is given twice.'],
  ['an average and --set', ['--average', '0.5', '--set', 'sampling.ema=null'], 'Give --average or --set sampling.ema, not both.'],
  ['averages that are none', ['--average', 'all'], 'Expected decays below 1, half-lives in samples from 1, or none'],
  ['none after others', ['--average', '0.5,none'], '--average: average: "none" is first or not there'],
  ['an element that is not there', ['--set', 'sampling.nfe[7]=1'], '--set sampling.nfe[7]: sampling.nfe[7]: expected an element from [0] to [3]'],
  ['what a run records', ['--set', 'digest=0'], '--set digest: there is no field "digest".'],
  ['two lengths', ['--epochs', '3', '--set', 'steps=3'], 'steps: expected updates or passes over the data, got both.'],
  ['a size in a file', ['--config', 'FOLDER/deep.json'], 'deep.json: network.depth (line 1): expected at most 1000, got 1001.'],
  ['a size in a file, twice', ['--config', 'FOLDER/twice.json'], 'twice.json: depth (line 1): it stands for network.depth, which is given too: give one of them.'],
])('%s', async (_, args, message) => {
  const given = args.map((arg) => arg.replace('FOLDER', path()));
  const outcome = await meanflow('train', '--data', 'digits', ...given, '--out', path('none'));
  expect(outcome.err).toContain(message);
  expect(outcome).toMatchObject({ status: 2, out: '' });
  expect(existsSync(path('none'))).toBe(false);
}); // prettier-ignore

describe('compare', () => {
  const base = ['compare', '--data', 'two-moons,rings', '--method', 'flow-matching,meanflow', '--jobs', '1'];

  it('sets fields of all runs, of a data set, of a method, or of both', async () => {
    const set = [
      ...['steps=2', 'batch=8', 'evaluation.samples=20', 'optimizer.schedule=constant'],
      ...['rings:steps=3', 'rings:conditional=true', 'meanflow:sampling.nfe=[1]', 'rings:meanflow:objective.weight.power=1'],
    ];
    await succeed(
      ...[...base, '--out', path('compared'), '--width', '8', '--average', '0.6'],
      ...set.flatMap((each) => ['--set', each]),
    );
    const all = { batch: 8, network: { width: 8 }, ema: { decays: [0.6] }, optimizer: { schedule: 'constant' } };
    const of = (data: string, method: string) => configOf('compared', 'runs', data, `${method}-seed-0`);
    expect(await of('two-moons', 'flow-matching')).toMatchObject({ ...all, steps: 2, conditional: false, sampling: { nfe: [1, 2, 4, 64], ema: 0.6 } });
    expect(await of('two-moons', 'meanflow')).toMatchObject({ ...all, steps: 2, sampling: { nfe: [1], ema: 0.6 }, objective: { weight: { power: 0.5 } } });
    expect(await of('rings', 'flow-matching')).toMatchObject({ ...all, steps: 3, conditional: true });
    expect(await of('rings', 'meanflow')).toMatchObject({ ...all, steps: 3, sampling: { nfe: [1] }, objective: { weight: { power: 1 } } });
    const { command } = JSON.parse(await readFile(path('compared', 'comparison.json'), 'utf8')) as { command: string };
    expect(command).toContain("--width 8 --average 0.6 --set steps=2 --set batch=8");
    // It is gone on with as it was begun: every run is finished, and so nothing is trained again.
    const { out } = await succeed('compare', '--resume', path('compared'), '--jobs', '1');
    expect(out).toContain('Report:');
    expect(await of('rings', 'meanflow')).toMatchObject({ steps: 3, objective: { weight: { power: 1 } } });
  }); // prettier-ignore

  it.each([
    ['ringz:steps=3', '--set ringz: nothing that is compared is called "ringz". Did you mean "rings"?'],
    ['rings:stesp=3', '--set rings:stesp: there is no field "stesp". Did you mean "steps"?'],
    ['meanflow:steps=3', '--set meanflow:steps: methods are compared on the same data in the same way'],
    ['rings:improved-meanflow:steps=3', '--set rings:improved-meanflow: nothing that is compared is called'],
    ['seed=3', '--set seed: a comparison has --seeds for it.'],
    ['recipe=imf-dit-b-2', '--set recipe: a comparison trains by the recipe of each data set'],
    ['rings:network.heads=3', '--set rings:network.heads: network: there is no field "heads".'],
  ])('refuses %s', async (set, message) => {
    const outcome = await meanflow(...base, '--set', set, '--out', path('refused'));
    expect(outcome.err).toContain(message);
    expect(outcome).toMatchObject({ status: 2, out: '' });
    expect(existsSync(path('refused'))).toBe(false);
  });
});

it('tells of a misspelt field in a file before data are opened', async () => {
  const file = await writeJson(path('misspelt.json'), { data: 'nowhere.csv', stesp: 3 });
  const { status, err } = await meanflow('train', '--config', file);
  expect(status).toBe(2);
  expect(err).toMatch(/misspelt\.json.*there is no field "stesp"\. Did you mean "steps"\?/);
});
