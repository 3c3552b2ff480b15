/** The commands that prove things: conformance and parity. */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';

const folder = temporaryFolder();

describe('meanflow conformance', () => {
  it('prints a matrix of ops and backends', async () => {
    const { out } = await succeed('conformance', '--backend', 'ort:cpu,reference', '--op', 'neg,reverse');
    expect(out).toMatch(/^ +cases +ort:cpu +reference +seconds$/m);
    expect(out).toMatch(/^neg +\d+ +(0|<0\.01) +(0|<0\.01) /m);
    expect(out).toMatch(/^reverse +\d+ /m);
    expect(out).toMatch(/ort:cpu conforms: (\d+) of \1 cases passed/);
  });

  it('writes JSON, and a page', async () => {
    const { out } = await succeed('conformance', '--backend', 'reference', '--op', 'neg', '--json');
    const [report] = JSON.parse(out) as [{ backend: string; results: { op: string; outcome: string }[] }];
    expect(report.backend).toBe('reference');
    expect(new Set(report.results.map(({ op, outcome }) => `${op} ${outcome}`))).toEqual(
      new Set(['neg passed']),
    );
    const page = folder.path('matrix.html');
    await succeed('conformance', '--all', '--op', 'neg', '--html', '--out', page);
    expect(await readFile(page, 'utf8')).toContain('<th>reference</th>');
  });

  it.each([
    [['--op', 'transposee'], 'Did you mean "transpose"'],
    [['--backend', 'ort:cpuu'], 'Did you mean "ort:cpu"'],
    [['--all', '--backend', 'ort:cpu'], 'not both'],
    [['--json', '--html'], 'not both'],
  ])('%j is refused', async (args, message) => {
    const { status, err } = await meanflow('conformance', ...args);
    expect(status).toBe(2);
    expect(err).toContain(message);
  });
});

describe('meanflow parity', () => {
  const vectors = fileURLToPath(new URL('../../conformance/test/data/parity', import.meta.url));

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
