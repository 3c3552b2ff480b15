/** `meanflow info --fields`: what `--set` and configuration files take, which docs/configuration.md has word for word. */
import { readFile } from 'node:fs/promises';
import { askedRunSchema, describeFields } from '@meanflow/runs/command';
import { meanflow, succeed } from './support/cli.js';

const page = new URL('../../../docs/configuration.md', import.meta.url);

it('is in the documentation as it is: paste it there after a change of the schema', async () => {
  const { out } = await succeed('info', '--fields');
  const [, listed] = /```text\n([\s\S]*?)```/.exec(await readFile(page, 'utf8')) ?? [];
  expect(listed).toBe(out);
});

it('says of every field what it may be, and of kinds which have it', async () => {
  const { out } = await succeed('info', '--fields', 'network');
  expect(out.split('\n')[0]).toBe('network: object');
  expect(out).toContain('network.heads: whole number; of dit, imf-dit, pmf-dit\n');
  expect(out).toContain(
    'network.times: t-and-h | t-and-r | h | t; by default "t-and-h"; of mlp, residual-mlp, dit, unet\n',
  );
  expect(out).toContain('    dit: Width of a token; divisible by 4 and by `heads`.\n');
  expect(out).not.toContain('optimizer.');
});

it('has a description of every field of the run itself', () => {
  const bare = describeFields(askedRunSchema())
    .filter(({ path, descriptions }) => !path.includes('.') && descriptions.length === 0)
    .map(({ path }) => path);
  expect(bare).toEqual([]);
});

it.each([
  [['--fields', 'netwrok'], 'there is no field "netwrok". Did you mean "network"?'],
  [['--fields', 'digest'], 'there is no field "digest".'],
  [['--fields', '--recipe', 'digits'], 'Give a run, --recipe, --data or --fields, not several of them.'],
])('refuses %j', async (args, message) => {
  const outcome = await meanflow('info', ...args);
  expect(outcome).toMatchObject({ status: 2, out: '' });
  expect(outcome.err).toContain(message);
});
