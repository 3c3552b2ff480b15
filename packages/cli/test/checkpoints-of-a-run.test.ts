/**
 * Which checkpoint of a run is taken: the latest that is whole, with a word on those that are not, and none that belongs
 * to another run.
 */
import { cp, copyFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { tinyConfig, writeJson } from './support/tiny.js';

const folder = temporaryFolder();
const place = (run: string, step: number): string =>
  folder.path(run, 'checkpoints', `step-${String(step).padStart(8, '0')}.safetensors`);

beforeAll(async () => {
  const config = await writeJson(folder.path('tiny.json'), { ...tinyConfig, steps: 8, checkpointEvery: 2 });
  await succeed('train', '--config', config, '--out', folder.path('run'));
  await rm(folder.path('run', 'final.safetensors'));
});

/** A copy of the run, to be damaged. */
async function copyOfRun(name: string): Promise<string> {
  await cp(folder.path('run'), folder.path(name), { recursive: true });
  return folder.path(name);
}

async function changeConfig(run: string, change: (config: Record<string, never>) => object): Promise<void> {
  const file = folder.path(run, 'config.json');
  const config = JSON.parse(await readFile(file, 'utf8')) as Record<string, never>;
  await writeFile(file, JSON.stringify({ ...config, ...change(config) }));
}

describe('one with a single wrong bit', () => {
  beforeAll(async () => {
    await copyOfRun('flipped');
    const bytes = await readFile(place('flipped', 6));
    bytes[bytes.length - 100] ^= 4;
    await writeFile(place('flipped', 6), bytes);
  });

  it.each([['sample', '--out', '-'], ['evaluate'], ['info'], ['train', '--resume']])(
    '%s says so, and takes the one before',
    async (command, ...options) => {
      const args =
        command === 'train' ? [...options, folder.path('flipped')] : [folder.path('flipped'), ...options];
      const { err } = await succeed(command, ...args);
      expect(err).toMatch(
        /warning: "[^"]*step-00000006\.safetensors": tensor "[^"]*" is damaged: its checksum/,
      );
      expect(err).toMatch(/Step 4 is used instead \("[^"]*step-00000004\.safetensors"\)/);
    },
  );
});

it("is its run's, of an earlier version too, which did not record how data were read", async () => {
  const run = await copyOfRun('former');
  await changeConfig('former', () => ({ reading: { splits: 'none' } }));
  expect((await succeed('sample', run, '--out', '-')).err).not.toContain('has changed');
});

it('where none is whole, each is named with its cause', async () => {
  const run = await copyOfRun('ruined');
  for (const step of [2, 4, 6]) await truncate(place('ruined', step), 10 * step);
  const outcome = await meanflow('sample', run, '--out', '-');
  expect(outcome).toMatchObject({ status: 1, out: '' });
  for (const step of [2, 4, 6]) expect(outcome.err).toContain(`${place('ruined', step)}" is not an intact`);
  expect(outcome.err).toContain('No intact checkpoint is left');
});

it('one whose name tells another step is refused', async () => {
  const run = await copyOfRun('renamed');
  await copyFile(place('renamed', 2), place('renamed', 7));
  for (const args of [
    ['sample', run, '--out', '-'],
    ['train', '--resume', run],
  ]) {
    const outcome = await meanflow(...args);
    expect(outcome).toMatchObject({ status: 1, out: '' });
    expect(outcome.err).toContain('step-00000007.safetensors" holds step 2, which is not what its name says');
  }
});

it.each<[string, (config: Record<string, never>) => object, string]>([
  ['of another objective', ({ objective }) => ({ objective: { ...(objective as object), weight: { power: 1, epsilon: 0.5 } } }), 'objective.weight.power'],
  ['of a longer run', () => ({ steps: 3 }), 'it is at step 6, and the run has 3'],
  ['of another seed', () => ({ seed: 77 }), '(now 77)'],
  ['of other data', () => ({ data: 'two-moons' }), '(now "two-moons")'],
])('one %s is refused', async (name, change, message) => {
  const run = await copyOfRun(name.replace(/ /g, '-'));
  await changeConfig(name.replace(/ /g, '-'), change);
  for (const args of [['sample', run, '--out', '-'], ['train', '--resume', run]]) {
    const outcome = await meanflow(...args);
    expect(outcome).toMatchObject({ status: 1, out: '' });
    expect(outcome.err).toContain('does not belong to this run, or');
    expect(outcome.err).toContain(message);
  }
}); // prettier-ignore

it('what may change between two parts of a run is named', async () => {
  const run = await copyOfRun('slower');
  await changeConfig('slower', ({ optimizer }) => ({
    optimizer: { ...(optimizer as object), learningRate: 1e-5 },
  }));
  for (const args of [
    ['sample', run, '--out', '-'],
    ['train', '--resume', run],
  ]) {
    const { err } = await succeed(...args);
    expect(err).toMatch(
      /config\.json has changed since step 6, which was made with optimizer\.learningRate \S+ \(now 0\.00001\)/,
    );
  }
});
