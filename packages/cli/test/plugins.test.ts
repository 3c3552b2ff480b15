/**
 * Plug-ins by the command: nothing that a folder or a file names is executed unless it is named again; what is named is trained,
 * resumed, sampled, judged and described under names of its own.
 */
import { existsSync } from 'node:fs';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RandomKey } from '@meanflow/core';
import * as ort from 'onnxruntime-node';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { start } from './support/process.js';
import { tinyConfig, writeJson } from './support/tiny.js';

const folder = temporaryFolder();
const mine = new URL('plugins/mine.mjs', import.meta.url);

/** A configuration that names an entry of every kind. */
const config = {
  ...tinyConfig,
  data: 'my-moons',
  method: 'gentle-flow',
  network: { kind: 'narrow' },
  sampling: { ema: 0.5, nfe: [1, 2], solver: 'my-euler' },
  evaluation: { samples: 50, metrics: ['first-value'] },
  backend: 'my-reference',
};
let printed = '';
const [marker, run] = ['was-executed', 'run'].map((name) => () => folder.path(name));

/** A module that leaves a mark when it is executed. */
async function writeMarked(name: string, exported = 'mine'): Promise<string> {
  const mark = `import { writeFileSync } from 'node:fs';\nimport mine from ${JSON.stringify(mine.href)};\nwriteFileSync(${JSON.stringify(marker())}, '');\n`;
  await writeFile(folder.path(name), `${mark}export default ${exported};\n`);
  return folder.path(name);
}

const readConfig = async (path = run()) =>
  JSON.parse(await readFile(join(path, 'config.json'), 'utf8')) as Record<string, unknown>;

// In a process of its own, so that this one has not loaded the plug-in.
beforeAll(async () => {
  await writeMarked('marked.mjs');
  // As seen from the file.
  const asked = await writeJson(folder.path('asked.json'), { ...config, plugins: ['./marked.mjs'] });
  const made = await start(['train', '--config', asked, '--out', run()]).end;
  expect(made).toMatchObject({ status: 0 });
  printed = made.out;
  expect(existsSync(marker())).toBe(true);
  await rm(marker());
}, 60_000);

it('records the plug-ins that a run uses, in its folder and in its model', async () => {
  const { plugins } = await readConfig();
  expect(plugins).toEqual([
    {
      path: expect.stringMatching(/^\..*\/marked\.mjs$/),
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      entries: {
        networks: ['narrow'],
        objectives: ['gentle-flow'],
        solvers: ['my-euler'],
        datasets: ['my-moons'],
        backends: ['my-reference'],
        metrics: ['first-value'],
      },
    },
  ]);
  expect(existsSync(marker())).toBe(false);
});

it('prints commands that name its plug-ins again', () => {
  const named = String.raw`\S*run --plugin \S*marked\.mjs`;
  expect(printed).toMatch(
    new RegExp(`^Now: npx meanflow evaluate ${named} {3}or: npx meanflow sample ${named}$`, 'm'),
  );
});

describe('without naming it again', () => {
  const saved =
    'the network "narrow", the objective "gentle-flow" and the solver "my-euler" are of the plug-in';
  const recorded = 'plugins: a run recorded';
  /** Arguments, and what is said. */
  const cases: readonly (readonly [string, readonly string[], string])[] = [
    ['sample', ['sample', 'RUN', '--out', '-'], saved],
    ['sample of a checkpoint', ['sample', 'RUN/final.safetensors', '--out', '-'], saved],
    ['evaluate', ['evaluate', 'RUN'], saved],
    ['info', ['info', 'RUN'], saved],
    ['info of all settings', ['info', 'RUN', '--json'], saved],
    ['save', ['save', 'RUN', '--out', 'FOLDER/alone.safetensors'], saved],
    ['export', ['export', 'RUN', '--out', 'FOLDER/sampler.onnx'], saved],
    ['train --resume', ['train', '--resume', 'RUN', '--steps', '8'], saved],
    ['train --init', ['train', '--init', 'RUN', '--out', 'FOLDER/new'], saved],
    ["train --config with a run's own", ['train', '--config', 'RUN/config.json', '--out', 'FOLDER/new'], recorded],
    ["compare --config with a run's own", ['compare', '--config', 'RUN/config.json', '--out', 'FOLDER/new'], recorded],
  ]; // prettier-ignore

  it.each(cases)('%s executes nothing, and says what to type', async (_, args, message) => {
    const { status, out, err } = await meanflow(
      ...args.map((arg) => arg.replace('RUN', run()).replace('FOLDER', folder.path())),
    );
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).toContain(message);
    expect(err).toMatch(/If you trust that file: --plugin \S*marked\.mjs \(in a program: loadPlugin\)\./);
    expect(existsSync(marker())).toBe(false);
    expect(existsSync(folder.path('new'))).toBe(false);
  });

  /** Changes to a run's own configuration, as somebody writes who wants a file executed. */
  const hostile: readonly (readonly [string, (path: string) => object])[] = [
    ['a backend by its path', (path) => ({ backend: path })],
    ['plug-ins by their paths', (path) => ({ plugins: [path] })],
    ['data by the path of a module', (path) => ({ data: path })],
    ['a network by a path', (path) => ({ network: { kind: path } })],
    ['metrics by a path', (path) => ({ evaluation: { samples: 50, metrics: [path] } })],
    ['a record that is none', (path) => ({ plugins: { path } })],
  ];

  it.each(hostile)('a folder with %s executes nothing', async (name, change) => {
    const [path, into] = [await writeMarked('evil.mjs'), folder.path(`hostile ${name}`)];
    await cp(run(), into, { recursive: true });
    const own = await writeJson(join(into, 'config.json'), { ...(await readConfig()), ...change(path) });
    const outcomes = [
      await meanflow('sample', into, '--out', '-'),
      await meanflow('train', '--resume', into, '--steps', '8'),
      await meanflow('info', into),
      await meanflow('evaluate', into),
      await meanflow('train', '--config', own, '--out', folder.path('new')),
    ];
    for (const { status, out } of outcomes) expect([status > 0, out]).toEqual([true, '']);
    expect(existsSync(marker())).toBe(false);
  });

  it('a run without plug-ins whose folder names a backend by its path executes nothing', async () => {
    const [path, into] = [await writeMarked('evil.mjs', '() => undefined'), folder.path('plain')];
    const asked = await writeJson(folder.path('plain.json'), tinyConfig);
    await succeed('train', '--config', asked, '--out', into);
    await writeJson(join(into, 'config.json'), { ...(await readConfig(into)), backend: path });
    const { status, err } = await meanflow('train', '--resume', into, '--steps', '8');
    expect(status).toBe(2);
    expect(err).toContain(`--backend ${path}`);
    expect(existsSync(marker())).toBe(false);
  });

  it('a backend by its path in a configuration is not loaded, and it is said how', async () => {
    const path = await writeMarked('evil.mjs', '() => undefined');
    const asked = await writeJson(folder.path('path.json'), { ...tinyConfig, backend: path });
    const { status, err } = await meanflow('train', '--config', asked, '--out', folder.path('new'));
    expect(status).toBe(2);
    expect(err).toContain(`A backend's module is loaded only where you name it yourself: --backend ${path}`);
    expect(existsSync(marker())).toBe(false);
  });
});

// From here on this process has loaded it.
describe('named again', () => {
  const plugin = () => ['--plugin', folder.path('marked.mjs')];

  it('samples, judges and describes', async () => {
    const { out } = await succeed('sample', run(), '--count', '3', '--out', '-', ...plugin());
    expect(out.trim().split('\n')).toHaveLength(4);
    expect(existsSync(marker())).toBe(true);
    expect((await succeed('evaluate', run(), ...plugin())).out).toMatch(
      /NFE +first value ↓\n[^]*Gentle flow +1 /,
    );
    const described = (await succeed('info', run(), ...plugin())).out;
    expect(described).toMatch(/^method +Gentle flow \(this test\)$/m);
    expect(described).toMatch(/^plug-ins +".*marked\.mjs" \(SHA-256 [0-9a-f]{16}…\)$/m);
  });

  it('goes on, and keeps the record', async () => {
    const before = await readConfig();
    const { err } = await succeed('train', '--resume', run(), '--steps', '8', ...plugin());
    expect(err).toContain('From step 6');
    expect(err).not.toContain('warning');
    expect(await readConfig()).toEqual({ ...before, steps: 8 });
  });

  it("takes a run's own configuration, where its plug-in is named", async () => {
    const { err } = await succeed(
      'train',
      '--config',
      join(run(), 'config.json'),
      '--out',
      folder.path('again'),
      ...plugin(),
    );
    expect(err).toContain('Gentle flow on my-moons');
    expect(await readConfig(folder.path('again'))).toEqual(await readConfig());
  });

  it('keeps the record in a model that is saved alone', async () => {
    const alone = folder.path('alone.safetensors');
    await succeed('save', run(), '--out', alone, ...plugin());
    expect(JSON.parse((await succeed('info', alone, '--json', ...plugin())).out)).toMatchObject({
      config: { plugins: (await readConfig()).plugins },
    });
  });

  it('samples a model that is saved alone as the run does', async () => {
    const args = ['--count', '3', '--out', '-', '--nfe', '1', ...plugin()];
    const alone = folder.path('of-run.safetensors');
    await succeed('save', run(), '--out', alone, ...plugin());
    expect((await succeed('sample', alone, ...args)).out).toBe((await succeed('sample', run(), ...args)).out);
  });

  it('exports a network of a plug-in, with the record as metadata', async () => {
    const file = folder.path('sampler.onnx');
    await succeed('export', run(), '--nfe', '1', '--batch', '3', '--out', file, ...plugin());
    const session = await ort.InferenceSession.create(file);
    const noise = RandomKey.fromSeed(0).fold('sample').fold('noise').normal([3, 2]);
    const { samples } = await session.run({ noise: new ort.Tensor('float32', noise.data, [3, 2]) });
    await session.release();
    const { out } = await succeed(
      ...['sample', run(), '--nfe', '1', '--count', '3', '--out', '-', ...plugin()],
    );
    const [head, ...lines] = out.trim().split('\n');
    const width = head.split(',').filter((name) => name !== 'class').length;
    const wanted = lines.flatMap((line) => line.split(',').slice(0, width).map(Number));
    expect(wanted).toHaveLength(6);
    for (const [i, value] of Array.from(samples.data as Float32Array).entries()) {
      expect(value).toBeCloseTo(wanted[i], 5);
    }
    const { plugins } = await readConfig();
    const [recorded = ''] = /\[\{"path":.*?\}\}\]/.exec(await readFile(file, 'latin1')) ?? [];
    expect(JSON.parse(recorded)).toEqual(plugins);
  });

  it('says that a plug-in has changed since, and goes on', async () => {
    const into = folder.path('of-another');
    await cp(run(), into, { recursive: true });
    const saved = await readConfig();
    const plugins = (saved.plugins as object[]).map((each) => ({ ...each, digest: '0'.repeat(64) }));
    await writeJson(join(into, 'config.json'), { ...saved, plugins });
    const { err } = await succeed('train', '--resume', into, '--steps', '9', ...plugin());
    expect(err).toMatch(
      /warning: the plug-in ".*marked\.mjs" \(SHA-256 .*…\) is not the one that this was made with, ".*" \(SHA-256 0000000000000000…\)\./,
    );
    expect((await readConfig(into)).plugins).toEqual(saved.plugins);
  });

  it('lists what it brings', async () => {
    const { out } = await succeed('info', ...plugin());
    for (const line of [
      'my-moons +two moons, again',
      'gentle-flow +flow matching under another name \\(this test\\)',
      'my-euler +order 1',
      'first-value',
      'my-reference',
    ]) {
      expect(out).toMatch(new RegExp(`^  ${line}.*  \\[\\S*marked\\.mjs\\]$`, 'm'));
    }
  });
});
