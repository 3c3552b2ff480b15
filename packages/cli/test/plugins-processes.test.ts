/** Plug-ins where a command works in several processes: comparisons, and the conformance kit on a backend of one's own. */
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { start } from './support/process.js';
import { tinyConfig, writeJson } from './support/tiny.js';

const folder = temporaryFolder();
const mine = new URL('plugins/mine.mjs', import.meta.url).href;

/** A module in the folder. */
async function write(name: string, text: string): Promise<string> {
  await writeFile(folder.path(name), text);
  return folder.path(name);
}

describe('a comparison', () => {
  const [out, marker] = ['out', 'was-executed'].map((name) => () => folder.path(name));
  let plugin = '';

  // In a process of its own, whose workers load the plug-in too, and which leaves this one without it.
  beforeAll(async () => {
    const mark = `import { appendFileSync } from 'node:fs';\nappendFileSync(${JSON.stringify(marker())}, '.');\n`;
    plugin = await write(
      'marked.mjs',
      `import mine from ${JSON.stringify(mine)};\n${mark}export default mine;\n`,
    );
    const { steps, batch } = tinyConfig;
    const evaluation = { samples: 50, metrics: ['first-value'] };
    const config = await writeJson(folder.path('comparison.json'), {
      data: ['my-moons'],
      methods: ['meanflow', 'gentle-flow'],
      backend: 'my-reference',
      recipes: { 'my-moons': { steps, batch, network: { kind: 'narrow' }, evaluation } },
    });
    const made = await start([
      'compare',
      '--config',
      config,
      '--plugin',
      plugin,
      '--jobs',
      '2',
      '--out',
      out(),
    ]).end;
    expect(made).toMatchObject({ status: 0 });
    expect(made.out).toMatch(/Gentle flow +1 /);
    expect(await readFile(marker(), 'utf8')).toBe('...');
    await rm(marker());
  }, 120_000);

  it('reports a method of a plug-in under its own name, colour and description', async () => {
    const page = await readFile(folder.path('out', 'report.html'), 'utf8');
    expect(page).toContain('<h1>MeanFlow and gentle flow, side by side</h1>');
    expect(page).toContain('--method-gentle-flow: #123456;');
    expect(page).toContain('--method-gentle-flow: #abcdef;');
    expect(page).toMatch(
      /style="--of: var\(--method-gentle-flow\)"><\/i>Gentle flow<\/h3><p>Learns the velocity &lt;gently&gt;\.</,
    );
    expect(page).toContain('two moons, again');
    const [guide = ''] = /<b>How to read it\.<.*/.exec(page) ?? [];
    expect(guide).toContain('<b>Gentle flow:</b> Learns the velocity &lt;gently&gt;. ');
    expect(guide).toContain('Gentle flow is sampled by following a velocity in many small steps');
    expect(guide).toContain('MeanFlow is sampled by steps over whole intervals');
    expect(guide).not.toMatch(/improved|Flow matching/i);
  });

  it('records its plug-ins, and what to type', async () => {
    const { plugins, command } = JSON.parse(
      await readFile(folder.path('out', 'comparison.json'), 'utf8'),
    ) as Record<string, unknown>;
    expect(plugins).toEqual([
      expect.objectContaining({
        entries: {
          networks: ['narrow'],
          objectives: ['gentle-flow'],
          datasets: ['my-moons'],
          backends: ['my-reference'],
          metrics: ['first-value'],
        },
      }),
    ]);
    expect(command).toContain(`--plugin ${plugin} --jobs 2`);
  });

  it('that goes on executes nothing until it is named again', async () => {
    const refused = await meanflow('compare', '--resume', out());
    expect(refused).toMatchObject({ status: 2, out: '' });
    expect(refused.err).toMatch(
      /comparison\.json: the network "narrow", the objective "gentle-flow", .* are of the plug-in ".*marked\.mjs"/,
    );
    expect(refused.err).toMatch(/If you trust that file: --plugin \S*marked\.mjs/);
    expect(existsSync(marker())).toBe(false);
    const { out: table } = await succeed('compare', '--resume', out(), '--plugin', plugin, '--jobs', '1');
    expect(table).toMatch(/Gentle flow +1 /);
    expect(await readFile(marker(), 'utf8')).toBe('.');
  });
});

describe('a backend by the path of its module', () => {
  const core = import.meta.resolve('@meanflow/core');
  const toy = (name: string, open: string) =>
    write(name, `import { referenceBackend } from ${JSON.stringify(core)};\nexport default ${open};\n`);

  it('runs the kit in a process of its own', async () => {
    const path = await toy('toy.mjs', '() => referenceBackend()');
    const { out } = await succeed('conformance', '--backend', path, '--op', 'add');
    expect(out).toMatch(/^toy conforms: \d+ of \d+ cases passed, 0 failed/m);
  });

  it('is examined by the doctor, and must work', async () => {
    const good = await meanflow('doctor', '--backend', await toy('good.mjs', '() => referenceBackend()'));
    expect(good.out).toMatch(/✓ good +of .*good\.mjs; computed a derivative correctly/);
    const bad = await meanflow(
      'doctor',
      '--backend',
      await toy('bad.mjs', "() => { throw new Error('no such chip'); }"),
    );
    expect(bad).toMatchObject({ status: 1, out: expect.stringMatching(/✗ bad +no such chip/) });
  });

  it('trains, and is named again by whoever goes on', async () => {
    const path = await toy('chip.mjs', '() => referenceBackend()');
    const config = await writeJson(folder.path('tiny.json'), tinyConfig);
    const made = await succeed('train', '--config', config, '--backend', path, '--out', folder.path('run'));
    const saved = JSON.parse(await readFile(folder.path('run', 'config.json'), 'utf8')) as object;
    expect(saved).toMatchObject({ backend: 'chip', plugins: [{ entries: { backends: ['chip'] } }] });
    const elsewhere = await start(['train', '--resume', folder.path('run'), '--steps', '8']).end;
    expect(elsewhere).toMatchObject({ status: 2, out: '' });
    expect(elsewhere.err).toMatch(
      /the backend "chip" is of the plug-in .*If you trust that file: --backend \S*chip\.mjs/,
    );
    await succeed('train', '--resume', folder.path('run'), '--steps', '8', '--backend', path);
    // What it prints names the backend again, and works as it stands where nothing is loaded.
    const [, printed = ''] = /^Now: npx meanflow (.*?) {3}or: /m.exec(made.out) ?? [];
    expect(printed).toMatch(/^evaluate \S+run --backend \S*chip\.mjs$/);
    expect(await start(printed.split(' ')).end).toMatchObject({ status: 0 });
  });
});
