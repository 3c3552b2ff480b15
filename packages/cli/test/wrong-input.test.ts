/** What a user can get wrong: one clear message, the right status, and nothing written. */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { tinyConfig, writeJson } from './support/tiny.js';

const folder = temporaryFolder();
const points = fileURLToPath(new URL('data/points.csv', import.meta.url));

beforeAll(async () => {
  const config = await writeJson(folder.path('tiny.json'), tinyConfig);
  await succeed('train', '--config', config, '--out', folder.path('run'));
  await writeFile(folder.path('file'), 'a regular file');
  await writeFile(folder.path('broken.json'), '{ "steps": 5');
  await writeJson(folder.path('list.json'), [1]);
  await writeJson(folder.path('misspelt.json'), { stesp: 5 });
  await writeJson(folder.path('nested.json'), { network: { widht: 5 } });
  const guided = { methods: { 'improved-meanflow': { objective: { guidance: { maxScale: 4 } } } } };
  await writeJson(folder.path('guided.json'), { data: ['rings'], recipes: { rings: guided } });
  await writeJson(folder.path('unknown.json'), { recipes: { digts: { steps: 5 } } });
  await writeJson(folder.path('twice.json'), { data: ['rings'], seeds: [0, 1, 0] });
  await mkdir(folder.path('other'));
  await copyFile(points, folder.path('other', 'points.csv'));
  await writeFile(folder.path('three.csv'), 'a,b\n1,2\n3,5\n4,1\n');
  await writeFile(folder.path('twins.csv'), `a,b\n${'1,2\n2,1\n'.repeat(10)}`);
  await writeJson(folder.path('recipe.json'), { recipes: { digits: { optimizer: { learnigRate: 1 } } } });
});

/** Arguments, the status, and what the message says. `OUT` is a folder that must not be there afterwards. */
const cases: readonly (readonly [string, readonly string[], number, string])[] = [
  ['no such command', ['trian'], 2, "unknown command 'trian'\n(Did you mean train?)"],
  ['no such option', ['train', '--step', '5'], 2, "unknown option '--step'\n(Did you mean --steps?)"],
  ['negative steps', ['train', '--steps', '-5'], 2, 'Expected a whole number from 1, got -5.'],
  ['half a batch', ['train', '--batch', '0.5'], 2, 'Expected a whole number from 1, got 0.5.'],
  ['steps that are words', ['train', '--steps', 'many'], 2, 'Expected a whole number from 1, got many.'],
  ['a negative seed', ['train', '--seed', '-1'], 2, 'Expected a whole number from 0, got -1.'],
  [
    'no such data',
    ['train', '--data', '8gausians'],
    2,
    'There is no dataset "8gausians". Did you mean "8-gaussians"?',
  ],
  [
    'no such file',
    ['train', '--data', 'nowhere/points.csv'],
    1,
    'nowhere/points.csv: there is no such file.',
  ],
  ['no such column', ['train', '--data', points, '--label', 'lenght'], 1, 'Did you mean "length"?'],
  ['no such method', ['train', '--method', 'meanflwo'], 2, 'got "meanflwo". Did you mean "meanflow"?'],
  [
    'no such backend',
    ['train', '--backend', 'ort:gpu'],
    2,
    'There is no backend "ort:gpu". Did you mean "ort:cpu"?',
  ],
  [
    'a backend whose library is not installed',
    ['train', '--backend', 'tfjs:node-gpu'],
    1,
    'needs @tensorflow/tfjs-node-gpu, which meanflow does not bring: `npm install @tensorflow/tfjs-node-gpu@4.22',
  ],
  [
    'no configuration',
    ['train', '--config', 'FOLDER/nothing.json'],
    1,
    'cannot be read: there is no such file',
  ],
  ['broken JSON', ['train', '--config', 'FOLDER/broken.json'], 1, 'broken.json" is not JSON'],
  ['no JSON object', ['train', '--config', 'FOLDER/list.json'], 1, 'does not hold a JSON object'],
  [
    'a misspelt field',
    ['train', '--config', 'FOLDER/misspelt.json'],
    2,
    'there is no field "stesp". Did you mean "steps"?',
  ],
  [
    'a misspelt field within',
    ['train', '--config', 'FOLDER/nested.json'],
    2,
    'network (line 1): there is no field "widht". Did you mean "width"?',
  ],
  [
    'a misspelt field of a recipe',
    ['compare', '--config', 'FOLDER/recipe.json'],
    2,
    'recipes.digits: optimizer: there is no field "learnigRate". Did you mean "learningRate"?',
  ],
  [
    'a recipe of no data',
    ['compare', '--config', 'FOLDER/unknown.json'],
    2,
    'recipes: there is no data set "digts". Did you mean "digits"?',
  ],
  [
    'a seed twice',
    ['compare', '--config', 'FOLDER/twice.json'],
    2,
    'seeds (line 1): expected each of them once.',
  ],
  [
    'two files of one name',
    ['compare', '--data', `${points},FOLDER/other/points.csv`],
    2,
    'Two data sets are called "points.csv"',
  ],
  [
    'an objective that the network cannot serve',
    ['compare', '--config', 'FOLDER/guided.json'],
    2,
    'the network takes no guidance conditions',
  ],
  ['no such data to compare', ['compare', '--data', 'digits,checkerbord'], 2, 'Did you mean "checkerboard"?'],
  ['no such method to compare', ['compare', '--method', 'meanflow,imf'], 2, 'methods[1]: expected one of'],
  ['a label of no file', ['compare', '--data', 'rings', '--label', 'kind'], 2, 'no file is compared: rings'],
  ...['train', 'compare'].flatMap((command) => [
    [
      `${command}: too few rows to judge by`,
      [command, '--data', 'FOLDER/three.csv'],
      1,
      'could not be judged, with 2 rows to learn from and 1 held out: ',
    ] as const,
    [
      `${command}: held-out rows that are all known`,
      [command, '--data', 'FOLDER/twins.csv'],
      1,
      'Every held-out row is also a training row',
    ] as const,
  ]),
  ['seeds in two ways', ['compare', '--seeds', '1,2', '--seed', '3'], 2, 'Give --seeds or --seed, not both.'],
  ['no seeds', ['compare', '--seeds', ''], 2, 'Expected a whole number from 0'],
];

it.each(cases)('%s', async (_, args, status, message) => {
  const out = folder.path('OUT');
  const outcome = await meanflow(...args.map((arg) => arg.replace('FOLDER', folder.path())), '--out', out);
  expect(outcome).toMatchObject({ status, out: '' });
  expect(outcome.err).toContain(message);
  expect(outcome.err).not.toMatch(/^\s+at /m);
  expect(existsSync(out)).toBe(false);
});

/** Of a run that is there: arguments after it, the status, and what the message says. */
const onRun: readonly (readonly [string, string, readonly string[], number, string])[] = [
  ['no such class', 'sample', ['--class', '3'], 2, 'The model knows no classes'],
  [
    'no format',
    'sample',
    ['--out', 'samples.xlsx'],
    2,
    'ends in none of .csv, .json, .npz, .npy, .png, .svg',
  ],
  ['no such solver', 'sample', ['--solver', 'eulre'], 2, 'There is no solver "eulre". Did you mean "euler"?'],
  ['half a step', 'sample', ['--solver', 'heun', '--nfe', '3'], 2, 'NFE must be a multiple of 2; got 3'],
  ['guidance that it has not', 'sample', ['--guidance', '2'], 2, 'was not trained for guidance'],
  ['zero evaluations', 'evaluate', ['--nfe', '1,0'], 2, 'Expected a whole number from 1 to 100000, got 0.'],
];

it.each(onRun)('%s', async (_, command, args, status, message) => {
  const outcome = await meanflow(command, folder.path('run'), ...args);
  expect(outcome).toMatchObject({ status, out: '' });
  expect(outcome.err).toContain(message);
});

it.each([
  [['--label', 'kind'], '--label belongs to --recipe'],
  [['--method', 'meanflow'], '--method belongs to --recipe'],
  [['RUN', '--recipe', 'digits'], 'Give a run, --recipe, --data or --fields, not several of them.'],
  [
    ['--recipe', 'imf-dit-b2'],
    'neither a published recipe nor a data set "imf-dit-b2". Did you mean "imf-dit-b-2"?',
  ],
])('info %j', async (args, message) => {
  const outcome = await meanflow('info', ...args.map((arg) => arg.replace('RUN', folder.path('run'))));
  expect(outcome).toMatchObject({ status: 2, out: '' });
  expect(outcome.err).toContain(message);
});

describe('output that cannot be written (below a regular file)', () => {
  it.each([
    ['train', ['train', '--config', 'FOLDER/tiny.json', '--out', 'FOLDER/file/run']],
    ['compare', ['compare', '--data', 'rings', '--out', 'FOLDER/file/out']],
    ['sample', ['sample', 'FOLDER/run', '--count', '2', '--out', 'FOLDER/file/samples.csv']],
  ])('%s', async (_, args) => {
    const outcome = await meanflow(...args.map((arg) => arg.replace('FOLDER', folder.path())));
    expect(outcome).toMatchObject({ status: 1, out: '' });
    expect(outcome.err).toMatch(/cannot be written: part of the path is a file/);
  });

  it('and a folder that holds something', async () => {
    const outcome = await meanflow('compare', '--data', 'rings', '--out', folder.path('run'));
    expect(outcome.status).toBe(1);
    expect(outcome.err).toContain(
      'is not empty: there is "checkpoints" in it. Choose another one with --out.',
    );
    const again = await meanflow('train', '--config', folder.path('tiny.json'), '--out', folder.path('run'));
    expect(again.status).toBe(1);
    expect(again.err).toContain('holds a run already. Go on with it with --resume');
  });
});

describe('checkpoints', () => {
  const commands = ['sample', 'evaluate', 'info'];

  it.each(commands)('%s: a missing one', async (command) => {
    const outcome = await meanflow(command, folder.path('nowhere'));
    expect(outcome).toMatchObject({ status: 1, out: '' });
    expect(outcome.err).toMatch(/nowhere" cannot be read: there is no such file/);
  });

  it.each(commands)('%s: a truncated one', async (command) => {
    const whole = await readFile(folder.path('run', 'final.safetensors'));
    const path = folder.path('truncated.safetensors');
    await writeFile(path, whole.subarray(0, whole.length - 100));
    const outcome = await meanflow(command, path);
    expect(outcome).toMatchObject({ status: 1, out: '' });
    expect(outcome.err).toContain('truncated.safetensors');
    expect(outcome.err.trim().split('\n')).toHaveLength(1);
  });

  it.each(commands)('%s: something else', async (command) => {
    const outcome = await meanflow(command, folder.path('file'));
    expect(outcome).toMatchObject({ status: 1, out: '' });
    expect(outcome.err).toContain('file"');
  });

  it('of another architecture cannot be gone on with', async () => {
    const other = { ...tinyConfig, network: { ...tinyConfig.network, width: 12 } };
    const config = await writeJson(folder.path('wide.json'), other);
    await succeed('train', '--config', config, '--out', folder.path('wide'));
    await mkdir(folder.path('mixed'));
    await copyFile(folder.path('wide', 'config.json'), folder.path('mixed', 'config.json'));
    await copyFile(folder.path('run', 'final.safetensors'), folder.path('mixed', 'final.safetensors'));
    const outcome = await meanflow('train', '--resume', folder.path('mixed'), '--steps', '9');
    expect(outcome).toMatchObject({ status: 1, out: '' });
    expect(outcome.err).toContain(
      'final.safetensors" does not belong to this run, or ' +
        folder.path('mixed', 'config.json') +
        ' was changed',
    );
    expect(outcome.err).toContain('network.width 8 (now 12)');
    // Nor sampled from, as if it were the run's own.
    expect((await meanflow('sample', folder.path('mixed'), '--out', '-')).err).toContain(
      'network.width 8 (now 12)',
    );
  });

  it('a run cannot change what it is when it goes on', async () => {
    const outcome = await meanflow('train', '--resume', folder.path('run'), '--batch', '16');
    expect(outcome.status).toBe(2);
    expect(outcome.err).toContain('--batch cannot change with --resume');
  });
});

/** What a shell makes of a variable that is not set. */
it.each([
  ['train', '--config', '--config'],
  ['train', '--out', '--out'],
  ['train', '--resume', '--resume'],
  ['train', '--data', '--data'],
  ['import', '', '<checkpoint>'],
  ['sample', '', '<run>'],
  ['info', '', '<run>'],
  ['info', '--recipe', '--recipe'],
  ['compare', '--resume', '--resume'],
])('%s %s with an empty text', async (command, option, named) => {
  const outcome = await meanflow(command, ...(option === '' ? [] : [option]), '');
  expect(outcome).toMatchObject({
    status: 2,
    out: '',
    err: `error: ${named}: expected some text, got nothing.\n`,
  });
});

it.each([
  [
    ['import', 'FOLDER/file', '--model', 'imf-dit-b2'],
    2,
    'no published model "imf-dit-b2". Did you mean "imf-dit-b-2"?',
  ],
  [['train', '--config', 'FOLDER'], 1, 'cannot be read: it is a folder, not a file'],
  [['train', '--steps', ''], 2, 'Expected a whole number from 1, got nothing.'],
  [
    ['export', 'FOLDER/run', '--batch', '99999999999', '--out', 'FOLDER/big.onnx'],
    2,
    '--batch: 99,999,999,999 samples of [2] need',
  ],
])('%j', async (args, status, message) => {
  const outcome = await meanflow(...args.map((arg) => arg.replace('FOLDER', folder.path())));
  expect(outcome.err).toContain(message);
  expect(outcome).toMatchObject({ status, out: '' });
});

it('a stack only where it is asked for', async () => {
  process.env.MEANFLOW_DEBUG = '1';
  try {
    const { err } = await meanflow('train', '--data', 'nothing');
    expect(err).toMatch(/^ArgumentError: There is no dataset[\s\S]*\n {4}at /);
  } finally {
    delete process.env.MEANFLOW_DEBUG;
  }
});

it('leaves no temporary files', async () => {
  const names = await readdir(folder.path('run'), { recursive: true });
  expect(names.filter((name) => name.includes('.tmp') || name.endsWith('-lock'))).toEqual([]);
});
