/** The commands that prove things: conformance and parity. */
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { backends } from '@meanflow/runs/node';
import { sources } from '../src/conformance/sources.js';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { start } from './support/process.js';

const folder = temporaryFolder();

/** The command in a process of its own, which makes processes for the backends; without a browser unless one is given. */
async function conformance(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { end } = start(['conformance', ...args], {
    CHROMIUM_PATH: '/nowhere',
    MEANFLOW_ALLOW_SOFTWARE: '',
    ...env,
  });
  return end;
}

describe('meanflow conformance', () => {
  it('prints a matrix of ops and backends', async () => {
    const { status, out } = await conformance(['--backend', 'ort:cpu,reference', '--op', 'neg,reverse']);
    expect(status).toBe(0);
    expect(out).toMatch(/^error +cases +ort:cpu +reference$/m);
    expect(out).toMatch(/^neg +\d+ +(0|<0\.01) +(0|<0\.01)$/m);
    expect(out).toMatch(/^reverse +\d+ /m);
    expect(out).toMatch(/^total +\d+\.\d +\d+\.\d$/m);
    expect(out).toMatch(/ort:cpu conforms: (\d+) of \1 cases passed/);
  });

  it('writes JSON', async () => {
    const { out } = await conformance(['--backend', 'reference', '--op', 'neg', '--json']);
    const [report] = JSON.parse(out) as [{ backend: string; results: { op: string; outcome: string }[] }];
    expect(report.backend).toBe('reference');
    expect(new Set(report.results.map(({ op, outcome }) => `${op} ${outcome}`))).toEqual(
      new Set(['neg passed']),
    );
  });

  it('runs whatever runs here, says why the rest does not, and writes a page', async () => {
    const page = folder.path('matrix.html');
    const all = ['--all', '--op', 'neg', '--html', '--out', page];
    const { status, out } = await conformance(all);
    expect(status).toBe(0);
    expect(out).toMatch(/^error +cases +reference +ort:cpu +ort:wasm /m);
    expect(out).toMatch(/^chromium\/ort:wasm does not run here\n +CHROMIUM_PATH is "\/nowhere"/m);
    expect(await readFile(page, 'utf8')).toContain('<th>reference</th>');
  });

  it('fails without what is required', async () => {
    const args = ['--all', '--op', 'neg', '--require', 'ort:cpu,chromium/ort:wasm'];
    const { status, out, err } = await conformance(args);
    expect(status).toBe(1);
    expect(out).toMatch(/^ort:cpu conforms/m);
    expect(err).toMatch(/^Asked for, but without a report: chromium\/ort:wasm\.$/m);
    const chosen = await conformance(['--backend', 'chromium/ort:wasm', '--op', 'neg']);
    expect(chosen.status).toBe(1);
    expect(chosen.err).toContain('CHROMIUM_PATH is "/nowhere", where there is no file.');
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux('loses no other backend with one whose process dies', async () => {
    const args = ['--backend', 'ort:cpu,reference', '--op', 'train step', '--json'];
    const { child, end } = start(['conformance', ...args]);
    await kill(child.pid!);
    const { status, out } = await end;
    expect(status).toBe(1);
    const found = JSON.parse(out) as Record<'backend' | 'broke' | 'ended', string | undefined>[];
    const [dead, alive] = ['ort:cpu', 'reference'].map((name) =>
      found.find(({ backend }) => backend === name)!,
    );
    // It was killed before the backend was open, or after.
    expect(dead.broke ?? dead.ended).toContain('its process was ended by SIGKILL');
    expect(alive).toHaveProperty('results');
    expect(alive).not.toHaveProperty('ended');
  });

  it('runs a backend that is named twice once', async () => {
    const { status, out } = await conformance(['--backend', 'reference,reference', '--op', 'neg']);
    expect(status).toBe(0);
    expect(out).toMatch(/^error +cases +reference$/m);
  });

  it('runs a backend that is named by the path of its module, and says what is wrong with one', async () => {
    const path = fileURLToPath(new URL('./support/own-backend.mjs', import.meta.url));
    const own = await conformance(['--backend', path, '--op', 'neg']);
    expect(own.out).toMatch(/^own-backend conforms: (\d+) of \1 cases passed/m);
    expect(own.status).toBe(0);
    await writeFile(folder.path('other.mjs'), 'export const open = () => undefined;');
    const other = await conformance(['--backend', folder.path('other.mjs'), '--op', 'neg']);
    expect(other.err).toContain('has no default export');
    expect(other.status).toBe(2);
  });

  it('refuses a file that cannot be written before any case is run', async () => {
    const { status, out, err } = await conformance(['--op', 'neg', '--out', folder.path('.')]);
    expect(status).toBe(1);
    expect(err).toContain('cannot be written: it is a folder, not a file.');
    expect(`${out}${err}`).not.toMatch(/cases/);
  });

  it('knows each backend of this machine and of the page', () => {
    const inNode = sources().names.filter((name) => !name.startsWith('chromium/'));
    expect([...inNode].sort()).toEqual([...backends.names].sort());
  });

  it.each([
    [['--op', 'transposee'], 'Did you mean "transpose"'],
    [['--backend', 'ort:cpuu'], 'Did you mean "ort:cpu"'],
    [['--backend', 'chromium/ort:wams'], 'Did you mean "chromium/ort:wasm"'],
    [['--all', '--backend', 'ort:cpu'], 'not both'],
    [['--require', 'ort:cpu'], '--require with --all'],
    [['--all', '--require', 'ort:cpuu'], 'Did you mean "ort:cpu"'],
    [['--json', '--html'], 'not both'],
  ])('%j is refused', async (args, message) => {
    const { status, err } = await meanflow('conformance', ...args);
    expect(status).toBe(2);
    expect(err).toContain(message);
  });
});

/** Kills the first child of a process. */
async function kill(pid: number): Promise<void> {
  const children = async () => (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim();
  let found = '';
  while (found === '') {
    await setTimeout(20);
    found = await children();
  }
  process.kill(Number(found.split(' ')[0]), 'SIGKILL');
}

describe('meanflow parity', () => {
  const vectors = fileURLToPath(new URL('../../parity/test/data/parity', import.meta.url));

  it('prints the errors of every tensor beside its floor', async () => {
    const { out } = await succeed('parity', vectors);
    expect(out).toMatch(/^passed +mf-sampler$/m);
    expect(out).toContain('6 cases: 6 passed');
  });

  it('fails on a case that it does not know, and on a folder that is not there', async () => {
    await writeFile(folder.path('other.json'), '{}');
    const unknown = await meanflow('parity', folder.path());
    expect(unknown.status).toBe(1);
    expect(unknown.out).toContain('there is no case "other"');
    const missing = await meanflow('parity', folder.path('nowhere'));
    expect(missing.status).toBe(1);
    expect(missing.err).toContain('nowhere cannot be read');
  });
});
