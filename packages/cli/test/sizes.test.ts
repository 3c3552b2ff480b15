/** Sizes that nobody can mean: each an error before anything is allocated, with the field, its line and what it would need. */
import { existsSync } from 'node:fs';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { tinyConfig, writeJson } from './support/tiny.js';

const folder = temporaryFolder();

beforeAll(async () => {
  await succeed(
    'train',
    '--config',
    await writeJson(folder.path('tiny.json'), tinyConfig),
    '--out',
    folder.path('run'),
  );
});

const mlp = tinyConfig.network;
const transformer = { patchSize: 1, width: 8, depth: 1, heads: 2 };

it.each<[string, object, string]>([
  ['width', { network: { ...mlp, width: 1_000_000, depth: 3 } }, 'network.width (line 1): 2,000,'],
  ['depth', { network: { ...mlp, depth: 1e9 } }, 'network.depth (line 1): expected at most 1000, got 1000000000.'],
  ['frequencies', { network: { ...mlp, embedding: { kind: 'fourier', frequencies: 1e10 } } }, 'network.width (line 1): '],
  ['tokens', { data: 'shapes', network: { kind: 'imf-dit', ...transformer, headDepth: 1, tokens: { time: 1e12 } } }, 'need at least '],
  ['width of a transformer', { data: 'shapes', network: { kind: 'dit', ...transformer, width: 4e8 } }, 'network.width (line 1): '],
  ['batch', { batch: 20_000_000_000 }, 'batch (line 1): '],
  ['steps', { steps: 1e300 }, 'steps (line 1): expected at most 9007199254740991, got 1e+300.'],
  ['evaluations', { sampling: { nfe: [1e9] } }, 'sampling.nfe[0] (line 1): expected at most 100000, got 1000000000.'],
])('%s', async (_, change, message) => {
  const config = await writeJson(folder.path('config.json'), { ...tinyConfig, ...change });
  const before = process.memoryUsage().rss;
  const outcome = await meanflow('train', '--config', config, '--out', folder.path('out'));
  expect(outcome.err).toContain(message);
  expect(outcome).toMatchObject({ status: 2, out: '' });
  expect(process.memoryUsage().rss - before).toBeLessThan(2e8);
  expect(existsSync(folder.path('out'))).toBe(false);
}); // prettier-ignore

it('MEANFLOW_MEMORY is the limit where it is set', async () => {
  const args = ['train', '--config', folder.path('tiny.json'), '--out', folder.path('limited')];
  process.env.MEANFLOW_MEMORY = '0.000001';
  try {
    const refused = await meanflow(...args);
    expect(refused).toMatchObject({ status: 2, out: '' });
    expect(refused.err).toMatch(/parameters in 5 copies .* need at least .* and MEANFLOW_MEMORY allows 1 kB/);
    process.env.MEANFLOW_MEMORY = 'much';
    expect((await meanflow(...args)).err).toContain('MEANFLOW_MEMORY is a number of gigabytes, got "much"');
    process.env.MEANFLOW_MEMORY = '1';
    await succeed(...args);
  } finally {
    delete process.env.MEANFLOW_MEMORY;
  }
});

it.each([
  [
    'sample',
    ['--count', '100000000000'],
    '--count: 100,000,000,000 samples of [2] need at least 2.4 TB of memory',
  ],
  [
    'evaluate',
    ['--samples', '1000000000000'],
    'evaluation.samples (--samples): 1,000,000,000,000 samples of [2] need',
  ],
  ['sample', ['--nfe', '1000000000'], 'Expected a whole number from 1 to 100000, got 1000000000.'],
  ['evaluate', ['--nfe', '1,1e9'], 'Expected a whole number from 1 to 100000, got 1e9.'],
])('%s %j', async (command, options, message) => {
  const outcome = await meanflow(command, folder.path('run'), ...options);
  expect(outcome.err).toContain(message);
  expect(outcome).toMatchObject({ status: 2, out: '' });
});
