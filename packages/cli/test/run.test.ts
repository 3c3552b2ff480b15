/** `train`, `info`, `evaluate` and `sample`, one after the other on small runs. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { decode } from 'fast-png';
import { shellWord } from '@meanflow/runs/command';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { tinyConfig, writeJson } from './support/tiny.js';

const folder = temporaryFolder();
const data = (file: string): string => fileURLToPath(new URL(`data/${file}`, import.meta.url));

describe('a run on points', () => {
  beforeAll(async () => {
    const config = await writeJson(folder.path('points.json'), tinyConfig);
    const { err } = await succeed('train', '--config', config, '--seed', '3', '--out', folder.path('points'));
    const [, before, told, after] = /^([^]*)(tracing… preparing… compiling… .* s\n)([^]*)$/.exec(err) ?? [];
    expect([before, told, after]).toEqual([
      expect.stringContaining('8-gaussians'),
      expect.any(String),
      expect.stringMatching(/^MeanFlow on 8-gaussians[^]*\nfirst step… .* s\n/),
    ]);
  });

  it('leaves its configuration with every default resolved, its metrics and its checkpoints', async () => {
    const config = JSON.parse(await readFile(folder.path('points', 'config.json'), 'utf8'));
    expect(config).toMatchObject({
      ...tinyConfig,
      seed: 3,
      backend: 'ort:cpu',
      objective: { kind: 'meanflow' },
    });
    const lines = (await readFile(folder.path('points', 'metrics.jsonl'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).step)).toEqual([1, 2, 4, 6]);
    expect(existsSync(folder.path('points', 'final.safetensors'))).toBe(true);
  });

  it('learns the same in parts of a batch, to rounding', async () => {
    const path = (file: string): string => folder.path('parts', file);
    const config = folder.path('points.json');
    await succeed('train', '--config', config, '--seed', '3', '--accumulate', '4', '--out', path('.'));
    expect(JSON.parse(await readFile(path('config.json'), 'utf8')).accumulate).toBe(4);
    const lossesOf = async (file: string): Promise<number[]> =>
      (await readFile(file, 'utf8')).trim().split('\n').map((line) => JSON.parse(line).loss); // prettier-ignore
    const whole = await lossesOf(folder.path('points', 'metrics.jsonl'));
    const parts = await lossesOf(path('metrics.jsonl'));
    expect(parts).toHaveLength(whole.length);
    parts.forEach((loss, i) => expect(Math.abs(loss / whole[i]! - 1)).toBeLessThan(1e-5));
    const { status, err } = await meanflow('train', '--config', config, '--accumulate', '3');
    expect(status).toBe(2);
    expect(err).toContain('a batch of 8 rows cannot be taken in 3 equal parts');
  });

  it('is told what it takes in memory, and refuses what it cannot be done in', async () => {
    const config = folder.path('points.json');
    const { err } = await succeed(
      'train',
      '--config',
      config,
      '--memory',
      '1GB',
      '--out',
      folder.path('roomy'),
    );
    expect(err).toMatch(/Memory: a step takes .* of the 1 GB that it may; nothing is computed twice\./);
    expect(JSON.parse(await readFile(folder.path('roomy', 'config.json'), 'utf8')).memory).toBe('1GB');
    const small = await meanflow('train', '--config', config, '--memory', '1kB');
    expect(small.status).toBe(2);
    expect(small.err).toContain('is too little: a step takes at least');
    const odd = await meanflow('train', '--config', config, '--memory', 'little');
    expect(odd.status).toBe(2);
    expect(odd.err).toContain('expected a size such as');
  });

  it('learns and samples nearly the same with products in float16', async () => {
    const path = (file: string): string => folder.path('half', file);
    const config = folder.path('points.json');
    await succeed('train', '--config', config, '--seed', '3', '--precision', 'float16', '--out', path('.'));
    expect(JSON.parse(await readFile(path('config.json'), 'utf8')).precision).toBe('float16');
    const rowsOf = async (file: string): Promise<{ loss: number; lossScale?: number }[]> =>
      (await readFile(file, 'utf8')).trim().split('\n').map((line) => JSON.parse(line)); // prettier-ignore
    const whole = await rowsOf(folder.path('points', 'metrics.jsonl'));
    const half = await rowsOf(path('metrics.jsonl'));
    expect(half.map(({ lossScale }) => lossScale)).toEqual(whole.map(() => 2 ** 16));
    half.forEach(({ loss }, i) => expect(Math.abs(loss / whole[i]!.loss - 1)).toBeLessThan(0.02));
    await succeed('train', '--resume', path('.'), '--steps', '8');
    const { status, err } = await meanflow(
      ...['train', '--config', config, '--precision', 'float16', '--accumulate', '2'],
    );
    expect(status).toBe(2);
    expect(err).toContain('accumulate: expected 1 or nothing with precision float16, got 2');
    const samples = async (...args: string[]): Promise<number[]> => {
      const { out } = await succeed('sample', folder.path('points'), '--count', '4', '--out', '-', ...args);
      return out.trim().split('\n').slice(1).flatMap((line) => line.split(',').map(Number)); // prettier-ignore
    };
    const [exact, rounded] = [await samples(), await samples('--precision', 'float16')];
    expect(rounded).not.toEqual(exact);
    rounded.forEach((x, i) => expect(Math.abs(x - exact[i]!)).toBeLessThan(0.02));
  });

  it('is described', async () => {
    const { out } = await succeed('info', folder.path('points'));
    for (const text of [
      '6 of 6 steps of 8, seed 3',
      'MeanFlow',
      '8-gaussians',
      'mlp, 1 deep, 8 wide',
      'step 6:',
    ]) {
      expect(out).toContain(text);
    }
    const json = JSON.parse((await succeed('info', folder.path('points'), '--json')).out);
    expect(json).toMatchObject({ step: 6, data: { name: '8-gaussians', columns: ['x', 'y'] } });
  });

  it('is evaluated at several NFE, with the noise floor', async () => {
    const args = ['evaluate', folder.path('points'), '--samples', '200', '--nfe', '1,2,3'];
    const { out } = await succeed(...args);
    expect(out).toMatch(/NFE +sliced W2 ↓ +MMD² ↓ +off support ↓ +modes covered ↑/);
    expect(out).toMatch(/\nMeanFlow +1 [\s\S]*\n +2 [\s\S]*\n +3 [\s\S]*\nnoise floor/);
    const { results, floor, samples } = JSON.parse((await succeed(...args, '--json')).out);
    expect(results.map(({ nfe }: { nfe: number }) => nfe)).toEqual([1, 2, 3]);
    expect(samples).toBe(200);
    // Six steps learn nothing; data against data is far better.
    expect(floor['mmd2']).toBeLessThan(results[0].metrics['mmd2']);
  });

  it('is sampled as numbers: the same for the same seed', async () => {
    const sample = async (...args: string[]) => (await succeed('sample', folder.path('points'), ...args)).out;
    const csv = await sample('--count', '4', '--out', '-');
    expect(csv).toMatch(/^x,y\n(-?\d+(\.\d+)?(e-\d+)?,-?\d+(\.\d+)?(e-\d+)?\n){4}$/);
    expect(await sample('--count', '4', '--out', '-')).toBe(csv);
    expect(await sample('--count', '4', '--out', '-', '--seed', '1')).not.toBe(csv);
    await sample('--count', '4', '--out', folder.path('deep', 'er', 'points.json'));
    const json = JSON.parse(await readFile(folder.path('deep', 'er', 'points.json'), 'utf8'));
    const rows = csv.trim().split('\n').slice(1).map((row) => row.split(',').map(Number)); // prettier-ignore
    expect(json).toEqual({ data: '8-gaussians', columns: ['x', 'y'], samples: rows });
  });

  it('is sampled as a picture', async () => {
    await succeed('sample', folder.path('points'), '--count', '50', '--out', folder.path('points.png'));
    expect(decode(await readFile(folder.path('points.png')))).toMatchObject({ width: 664, channels: 3 });
    await succeed('sample', folder.path('points'), '--count', '50', '--out', folder.path('points.svg'));
    expect(await readFile(folder.path('points.svg'), 'utf8')).toMatch(/^<svg .*<\/svg>$/s);
  });

  it('takes any solver, and counts its evaluations', async () => {
    const { err } = await succeed(
      'sample',
      folder.path('points'),
      '--solver',
      'heun',
      '--nfe',
      '4',
      '--out',
      '-',
    );
    expect(err).toContain('1,000 samples at 4 NFE');
    expect(err).toMatch(/^tracing… preparing… compiling… sampling… .* s$/m);
    const adaptive = await succeed(
      'sample',
      folder.path('points'),
      '--solver',
      'dormand-prince',
      '--out',
      '-',
    );
    expect(adaptive.err).toMatch(/at \d+(\.\d)? NFE/);
  });

  it('goes on where it ended when it is given more steps', async () => {
    const { err, out } = await succeed('train', '--resume', folder.path('points'), '--steps', '8');
    expect(err).toContain('From step 6');
    expect(out).toContain('8 steps made');
    expect(JSON.parse(await readFile(folder.path('points', 'config.json'), 'utf8')).steps).toBe(8);
  });
});

it('images: a grid of ten of each class', async () => {
  const config = await writeJson(folder.path('digits.json'), {
    ...tinyConfig,
    data: 'digits',
    method: 'improved-meanflow',
    sampling: { ...tinyConfig.sampling, nfe: [1] },
  });
  await succeed('train', '--config', config, '--out', folder.path('digits'));
  const picture = folder.path('digits.png');
  await succeed('sample', folder.path('digits'), '--grid', '--out', picture);
  expect(decode(await readFile(picture))).toMatchObject({ width: 502, height: 502 });
  const sevens = await succeed('sample', folder.path('digits'), '--class', '7', '--count', '2', '--out', '-');
  expect(sevens.out.split('\n').slice(1, 3).map((row) => row.split(',').at(-1))).toEqual(['7', '7']); // prettier-ignore
  const { out } = await succeed('evaluate', folder.path('digits'), '--samples', '20');
  expect(out).toMatch(/NN label agreement ↑ +NN distance ratio →1/);
});

it('colour images: a small DiT, grids of a size and of classes', async () => {
  const config = await writeJson(folder.path('shapes.json'), {
    ...tinyConfig,
    data: 'shapes',
    network: { kind: 'dit', patchSize: 8, width: 8, depth: 1, heads: 2 },
  });
  await succeed('train', '--config', config, '--out', folder.path('shapes'));
  const picture = folder.path('shapes.png');
  const sample = (...args: string[]) => meanflow('sample', folder.path('shapes'), ...args);
  expect((await sample('--grid', '3x5', '--class', 'star,ring', '--out', picture)).status).toBe(0);
  // Images of 48 pixels with gaps of 2 between and around them.
  expect(decode(await readFile(picture))).toMatchObject({ width: 252, height: 152, channels: 3 });
  const { out } = await sample('--count', '3', '--class', 'star,ring', '--out', '-');
  const rows = out.trim().split('\n').map((row) => row.split(',')); // prettier-ignore
  expect(rows.map((row) => row.at(-1))).toEqual(['class', 'star', 'ring', 'star']);
  expect(rows.map((row) => row.length)).toEqual([769, 769, 769, 769]);
  for (const [args, message] of [
    [['--grid', '3x5', '--count', '2'], 'exclude each other'],
    [['--grid', '--class', 'star'], 'give a size'],
    [['--grid', '0x5'], 'Expected rows x columns'],
    [['--class', 'stars'], 'Did you mean "star"?'],
  ] as const) {
    const { status, err } = await sample(...args);
    expect({ status, err }).toEqual({ status: 2, err: expect.stringContaining(message) });
  }
});

it('your own table: samples come in its units, with its classes', async () => {
  const config = await writeJson(folder.path('table.json'), {
    ...tinyConfig,
    steps: 150,
    batch: 32,
    network: { ...tinyConfig.network, width: 32 },
    data: data('labelled.csv'),
    label: 'kind',
    logEvery: 50,
  });
  await succeed('train', '--config', config, '--out', folder.path('table'));
  const { out } = await succeed('sample', folder.path('table'), '--count', '40', '--nfe', '2', '--out', '-');
  const [head, ...rows] = out.trim().split('\n');
  expect(head).toBe('length,weight,kind');
  expect([rows[0], rows[1]].map((row) => row.slice(row.indexOf(',', row.indexOf(',') + 1) + 1))).toEqual([
    '"long, thin"',
    'short',
  ]);
  const lengths = rows.map((row) => Number(row.split(',')[0]));
  const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  // The file's lengths have mean 125; a normalised sample would be near 0.
  expect(mean).toBeGreaterThan(75);
  expect(mean).toBeLessThan(175);
});

it('prints commands that can be pasted, whatever the folder is called', async () => {
  const config = await writeJson(folder.path('spaced.json'), tinyConfig);
  const run = folder.path('my runs', 'a b');
  const { out } = await succeed('train', '--config', config, '--steps', '2', '--out', run);
  expect(out).toContain(
    `Now: npx meanflow evaluate ${shellWord(run)}   or: npx meanflow sample ${shellWord(run)}\n`,
  );
  expect(shellWord(run)).not.toBe(run);
});

it('settings of a table depend on its label, and are as train takes them', async () => {
  const recipe = async (...args: string[]) =>
    JSON.parse((await succeed('info', '--recipe', data('labelled.csv'), ...args)).out);
  expect(await recipe('--label', 'kind')).toMatchObject({ conditional: true });
  const config = await recipe('--label', 'kind', '--method', 'meanflow');
  expect(config).toMatchObject({ data: data('labelled.csv'), label: 'kind', method: 'meanflow' });
});

it('the reference interpreter trains, too', async () => {
  const config = await writeJson(folder.path('reference.json'), tinyConfig);
  const run = folder.path('reference');
  await succeed('train', '--config', config, '--backend', 'reference', '--steps', '2', '--out', run);
  const { out } = await succeed('sample', run, '--backend', 'reference', '--count', '2', '--out', '-');
  expect(out.trim().split('\n')).toHaveLength(3);
});

it('lists what there is, and the settings of a recipe as train takes them', async () => {
  const { out } = await succeed('info');
  for (const text of ['8-gaussians', 'digits', 'improved-meanflow', 'ort:cpu', 'tfjs:wasm', 'reference'])
    expect(out).toContain(text);
  const recipe = (await succeed('info', '--recipe', 'digits', '--method', 'flow-matching')).out;
  const config = await writeJson(folder.path('recipe.json'), JSON.parse(recipe));
  const wrong = await meanflow('train', '--config', config, '--out', '/dev/null/run', '--steps', '1');
  expect(wrong.err).toContain('"/dev/null/run" cannot be written');
});
