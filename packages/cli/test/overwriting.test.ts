/** Files that are there: nobody's is overwritten unasked. */
import { readFile, writeFile } from 'node:fs/promises';
import { run } from '../src/program.js';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { tinyConfig, writeJson } from './support/tiny.js';

const folder = temporaryFolder();
beforeAll(async () => {
  await succeed(
    'train',
    '--config',
    await writeJson(folder.path('c.json'), tinyConfig),
    '--out',
    folder.path('run'),
  );
});

const commands = [
  ['sample', () => ['sample', folder.path('run'), '--count', '2'], 'x.csv'],
  ['export', () => ['export', folder.path('run')], 'x.onnx'],
  ['conformance', () => ['conformance', '--op', 'neg'], 'x.txt'],
] as const;

it.each(commands)('%s leaves a file that is there, unless --force says otherwise', async (_, args, name) => {
  const out = folder.path(name);
  await writeFile(out, 'precious');
  const refused = await meanflow(...args(), '--out', out);
  expect(refused).toMatchObject({ status: 1, out: '' });
  expect(refused.err).toContain(`"${out}" is there already, and is left as it is. Overwrite it with --force`);
  expect(await readFile(out, 'utf8')).toBe('precious');
  await succeed(...args(), '--out', out, '--force');
  expect(await readFile(out, 'utf8')).not.toBe('precious');
});

it.each(['import', 'statistics'])('%s does so too, before any work', async (command) => {
  const out = folder.path(`${command}.file`);
  await writeFile(out, 'precious');
  const features = command === 'statistics' ? ['--features', 'none.onnx'] : [];
  const refused = await meanflow(command, folder.path('nowhere'), ...features, '--out', out);
  expect(refused.err).toContain('is there already');
  expect(await readFile(out, 'utf8')).toBe('precious');
});

it.each([
  ['yes', true, 0],
  ['no', false, 1],
])('asks where somebody is there, and takes %s for an answer', async (_, answer, status) => {
  const out = folder.path('asked.csv');
  await writeFile(out, 'precious');
  const questions: string[] = [];
  const confirm = async (question: string): Promise<boolean> => {
    questions.push(question);
    return answer;
  };
  const io = { out: () => {}, err: () => {}, isInteractive: false, confirm };
  expect(await run(['sample', folder.path('run'), '--count', '2', '--out', out], io)).toBe(status);
  expect(questions).toEqual([`"${out}" is there already. Overwrite it?`]);
  expect((await readFile(out, 'utf8')) === 'precious').toBe(!answer);
});
