/** How often samples have each class: as the data they are judged by, or as asked for; and which class a name means. */
import { fileURLToPath } from 'node:url';
import { referenceBackend } from '@meanflow/core';
import { countClasses } from '@meanflow/data';
import { classOf, drawnPieces, loadModel } from '@meanflow/runs/command';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { writeImageFolder } from './support/images.js';
import { writeJson } from './support/tiny.js';

const folder = temporaryFolder();
/** 904 rows "common" near x = −5, 96 "rare" near 5. */
const data = fileURLToPath(new URL('data/tables/imbal.csv', import.meta.url));

describe('data of unequal classes', () => {
  beforeAll(async () => {
    const args = ['--data', data, '--label', 'class', '--steps', '600', '--batch', '64'];
    const { err } = await succeed('train', ...args, '--out', folder.path('run'));
    expect(err).toContain('2 classes (common 904, rare 96)');
  });

  it('is judged by samples that have the classes as often as the held-out rows', async () => {
    const w2 = async (...args: string[]) => {
      const { out } = await succeed('evaluate', folder.path('run'), '--nfe', '1', '--json', ...args);
      const { results, floor } = JSON.parse(out);
      return [results[0].metrics, floor].map((scores) => scores['sliced-wasserstein-2'] as number);
    };
    const [score, floor] = await w2();
    expect(score).toBeLessThan(1.5 * floor);
    // Half and half, which is what classes in turns give.
    expect((await w2('--labels', 'uniform'))[0]).toBeGreaterThan(1);
  });

  it('is judged so by features too, piece by piece', async () => {
    const { model } = await loadModel(folder.path('run'));
    const labels = async (classCounts?: readonly number[]) => {
      const found: number[] = [];
      const options = { backend: referenceBackend(), seed: 0, count: 1000, nfe: 1, classCounts };
      for await (const piece of drawnPieces(model, options)) found.push(...piece.labels!.data);
      return countClasses(found, 2);
    };
    expect(await labels(model.data.classCounts)).toEqual([904, 96]);
    expect(await labels()).toEqual([500, 500]);
  });

  it('is sampled in turns, or as the data has the classes', async () => {
    const classes = async (...args: string[]) => {
      const { out } = await succeed('sample', folder.path('run'), '--count', '250', '--out', '-', ...args);
      const cells = out.trim().split('\n').slice(1).map((row) => row.split(',')[2]); // prettier-ignore
      return ['common', 'rare'].map((name) => cells.filter((cell) => cell === name).length);
    };
    expect(await classes()).toEqual([125, 125]);
    const { err } = await succeed('sample', folder.path('run'), '--count', '2', '--out', '-');
    expect(err).toContain(
      'Classes take turns. The data has 904 rows of common and 96 of rare: --labels data',
    );
    expect(await classes('--labels', 'data')).toEqual([226, 24]);
    expect(await classes('--labels', 'data', '--class', 'rare')).toEqual([0, 250]);
  });
});

it('says when a model does not record how often its data has each class', async () => {
  const config = { data: '8-gaussians', steps: 1, network: { kind: 'mlp', width: 8, depth: 1 } };
  const path = await writeJson(folder.path('points.json'), { ...config, conditional: true });
  await succeed('train', '--config', path, '--out', folder.path('points'));
  const { status, err } = await meanflow('sample', folder.path('points'), '--labels', 'data');
  expect(status).toBe(2);
  expect(err).toContain('does not record how often 8-gaussians has each class');
});

describe('a class that is named', () => {
  it('is the one of that name, and no place among others', async () => {
    await writeImageFolder(folder.path('numbers'), ['0', '1', '2', '10', '11'], 4);
    const path = await writeJson(folder.path('numbers.json'), {
      data: folder.path('numbers'),
      images: { cacheBytes: 0 },
      network: { kind: 'dit', patchSize: 4, width: 8, depth: 1, heads: 2 },
      steps: 1,
      batch: 4,
      evaluation: { samples: 8, metrics: ['sliced-wasserstein-2'] },
    });
    await succeed('train', '--config', path, '--out', folder.path('numbered'));
    const sample = (name: string) =>
      meanflow('sample', folder.path('numbered'), '--class', name, '--count', '1', '--out', '-');
    const wrong = await sample('3');
    expect(wrong.status).toBe(2);
    expect(wrong.err).toMatch(/There is no class "3"\..*Known are 0, 1, (10, 11, 2|2, 10, 11)\./);
    expect((await sample('11')).out.trim()).toMatch(/,11$/);
  });

  it('may be a place where classes have no names', () => {
    expect(classOf('3', undefined, 5)).toBe(3);
    expect(() => classOf('5', undefined, 5)).toThrow('There is no class "5": they are numbers from 0 to 4.');
    expect(() => classOf('1', ['cat', 'dog'], 2)).toThrow('There is no class "1". Known are cat, dog.');
  });
});
