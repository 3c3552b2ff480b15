/** Conditions through the command: a run with some columns or pixels given, judged, sampled and exported with them. */
import { readFile, writeFile } from 'node:fs/promises';
import { HostArray, RandomKey } from '@meanflow/core';
import { encodeNpy, openZip, readNpz, readTensor } from '@meanflow/formats';
import { fileAccess } from '@meanflow/formats/node';
import { loadModel } from '@meanflow/runs/command';
import * as ort from 'onnxruntime-node';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';

const folder = temporaryFolder();
const tiny = ['--steps', '3', '--batch', '8'];
const given = 'alcohol=13.2,proline=1100';

describe('a table of which columns are given', () => {
  const run = () => folder.path('wine');

  it('is trained, and its checkpoint knows which', async () => {
    const { err } = await succeed(
      'train',
      '--data',
      'wine',
      '--given',
      'alcohol,proline',
      ...tiny,
      '--out',
      run(),
    );
    expect(err).toContain('of 11 columns');
    expect(err).toContain('given: alcohol, proline');
    const { model } = await loadModel(run());
    expect(model.config.task).toEqual({ kind: 'given', columns: ['alcohol', 'proline'] });
    expect(model.network.conditions).toEqual({ given: { kind: 'vector', shape: [2] } });
    expect((await succeed('info', run())).out).toContain('given: alcohol, proline');
  });

  it('is gone on from by another run, which is given the same', async () => {
    const { err } = await succeed('train', '--init', run(), ...tiny, '--out', folder.path('wine-again'));
    expect(err).toContain('All 9 parameters are taken as they are.');
    const { model } = await loadModel(folder.path('wine-again'));
    expect(model.config.task).toEqual({ kind: 'given', columns: ['alcohol', 'proline'] });
  });

  it('is sampled for values in its own units, or for rows that were held out', async () => {
    const { out } = await succeed('sample', run(), '--given', given, '--count', '4', '--out', '-');
    const [header, ...rows] = out.trim().split('\n').map((line) => line.split(','));
    const place = (name: string) => header!.indexOf(name);
    expect(header).toHaveLength(14);
    expect(rows.map((row) => [row[place('alcohol')], row[place('proline')]])).toEqual(Array(4).fill(['13.2', '1100']));
    const held = await succeed('sample', run(), '--given', 'held-out', '--count', '40', '--out', '-');
    expect(new Set(held.out.trim().split('\n').map((line) => line.split(',')[0])).size).toBeGreaterThan(20);
  }); // prettier-ignore

  it('is written with what it was given, as JSON and npz', async () => {
    const [json, npz] = [folder.path('wine.json'), folder.path('wine.npz')];
    await succeed('sample', run(), '--given', given, '--count', '3', '--out', json);
    const { columns, samples } = JSON.parse(await readFile(json, 'utf8')) as { columns: string[]; samples: number[][] };
    expect(columns).toHaveLength(13);
    expect(samples.map((row) => [row[columns.indexOf('alcohol')], row[columns.indexOf('proline')]])).toEqual(Array(3).fill([13.2, 1100]));
    await succeed('sample', run(), '--given', given, '--count', '3', '--out', npz);
    const { tensors } = await readNpz(await openZip(await fileAccess(npz)));
    const values = await readTensor(tensors.find(({ name }) => name === 'conditions/given')!);
    expect(values.shape).toEqual([3, 2]);
    expect([...values.data].map((value) => Math.round(value * 10) / 10)).toEqual([13.2, 1100, 13.2, 1100, 13.2, 1100]);
  }); // prettier-ignore

  it.each([
    [[], 'the condition "given" is missing'],
    [['--given', 'alcohol=13'], 'a number for each of alcohol=…,proline=…; "proline" has none.'],
    [['--given', 'alcool=13,proline=9'], 'Did you mean "alcohol"?'],
  ])('is not sampled with %j', async (args, message) => {
    const { status, err } = await meanflow('sample', run(), ...args, '--out', '-');
    expect(status).not.toBe(0);
    expect(err).toContain(message);
  });

  it('is judged by whole rows', async () => {
    const { out } = await succeed('evaluate', run(), '--samples', '60', '--nfe', '1', '--json');
    const { results, floor } = JSON.parse(out) as { results: { metrics: object }[]; floor: object };
    expect(Object.keys(results[0]!.metrics)).toEqual(Object.keys(floor));
  });

  it('is exported with a named input, and gives what sample gives', async () => {
    const file = folder.path('wine.onnx');
    await succeed('export', run(), '--out', file, '--nfe', '1', '--normalised');
    const session = await ort.InferenceSession.create(file);
    expect([...session.inputNames].sort()).toEqual(['conditions/given', 'label', 'noise']);
    const { model } = await loadModel(run());
    const { normalisation } = model.data.conditions!['given']!;
    const row = [13.2, 1100].map((value, i) => (value - normalisation.mean[i]!) / normalisation.scale[i]!);
    const noise = RandomKey.fromSeed(0).fold('sample').fold('noise').normal([1, 11]);
    const feeds = {
      noise: new ort.Tensor('float32', noise.data, [1, 11]),
      label: new ort.Tensor('int32', Int32Array.of(0), [1]),
      'conditions/given': new ort.Tensor('float32', Float32Array.from(row), [1, 2]),
    };
    const made = (await session.run(feeds)).samples!.data as Float32Array;
    const { out } = await succeed('sample', run(), '--given', given, '--count', '1', '--nfe', '1', '--out', '-');
    const [header, cells] = out.trim().split('\n').map((line) => line.split(','));
    const at = header!.indexOf('hue');
    const { columns, normalisation: own } = model.data;
    const hue = columns.indexOf('hue');
    expect(made[hue]! * own.scale[hue]! + own.mean[hue]!).toBeCloseTo(Number(cells![at]), 4);
  }); // prettier-ignore
});

it('images are completed: known pixels are in their places', async () => {
  const run = folder.path('digits');
  const args = ['--data', 'digits', '--task', 'inpaint:strokes', '--unconditional', ...tiny];
  await succeed('train', ...args, '--out', run);
  const { model } = await loadModel(run);
  expect(model.config.task).toEqual({ kind: 'inpaint', mask: 'strokes' });
  expect(Object.keys(model.network.conditions!)).toEqual(['known', 'mask']);
  const file = folder.path('digits.png');
  await succeed('sample', run, '--given', 'held-out', '--grid', '2x3', '--out', file);
  expect((await readFile(file)).subarray(1, 4).toString()).toBe('PNG');
  const { out } = await succeed('evaluate', run, '--samples', '40', '--nfe', '1');
  expect(out).toContain('Fréchet');
});

it.each([
  [['--given', 'alcohol', '--task', 'inpaint'], 'Give --given or --task, not both.'],
  [['--task', 'inpant'], 'Did you mean "inpaint"?'],
  [['--task', 'inpaint'], 'Inpainting is of images, and "wine" has none.'],
  [['--given', 'hues'], 'Did you mean "hue"?'],
])('a task that does not fit is refused: %j', async (args, message) => {
  const { status, err } = await meanflow('train', '--data', 'wine', ...args, ...tiny, '--out', folder.path('no'));
  expect(status).not.toBe(0);
  expect(err).toContain(message);
}); // prettier-ignore

it('a comparison gives the same to every method', async () => {
  const out = folder.path('compared');
  const args = ['--data', 'wine', '--given', 'alcohol,proline', '--method', 'meanflow,flow-matching'];
  const { err } = await succeed('compare', ...args, '--steps', '3', '--batch', '8', '--jobs', '1', '--out', out);
  expect(err).toContain('given: alcohol, proline');
  const runs = ['meanflow', 'flow-matching'].map((method) => `${out}/runs/wine/${method}-seed-0`);
  for (const run of runs) {
    const { model } = await loadModel(run);
    expect(model.config.task).toEqual({ kind: 'given', columns: ['alcohol', 'proline'] });
  }
  // Another run of the same is judged as it was.
  const judged = JSON.parse((await succeed('evaluate', runs[0]!, '--nfe', '1', '--json')).out) as { results: { metrics: object }[] };
  const { datasets } = JSON.parse(await readFile(`${out}/results.json`, 'utf8')) as { datasets: { methods: { scores: object[] }[] }[] };
  expect(JSON.stringify(datasets)).toContain(JSON.stringify(Object.values(judged.results[0]!.metrics)[0]));
}); // prettier-ignore

describe('images beside those of the data', () => {
  const images = (of: (i: number) => number) =>
    encodeNpy(new HostArray('int32', [40, 4, 4, 1], Int32Array.from({ length: 640 }, (_, i) => of(i))));
  const pixel = (i: number): number => (i * 37) % 251;
  let data: string;
  let negative: string;
  let run: string;
  beforeAll(() => {
    [data, negative] = [folder.path('images.npy'), folder.path('negatives.npy')];
    run = folder.path('beside');
  });

  it('are a condition in training, judging and sampling', async () => {
    await writeFile(data, images(pixel));
    await writeFile(negative, images((i) => 255 - pixel(i)));
    const { err } = await succeed('train', '--data', data, '--condition', `negative=${negative}`, '--unconditional', '--flip', ...tiny, '--out', run);
    expect(err).toContain('given negative, an image of 4 × 4 × 1');
    const { model } = await loadModel(run);
    expect(model.config.task).toMatchObject({ kind: 'beside', images: { negative }, digests: { negative: expect.stringMatching(/^[0-9a-f]{64}$/) as string } });
    expect(model.network.conditions).toEqual({ negative: { kind: 'image', shape: [4, 4, 1] } });
    await succeed('evaluate', run, '--samples', '30', '--nfe', '1', '--metrics', 'energy-distance');
    const file = folder.path('beside.json');
    await succeed('sample', run, '--given', 'held-out', '--count', '5', '--out', file);
    const { conditions } = JSON.parse(await readFile(file, 'utf8')) as { conditions: { negative: number[][] } };
    // Rows of the file, in its own units.
    const known = Array.from({ length: 40 }, (_, row) => Array.from({ length: 16 }, (__, i) => 255 - pixel(16 * row + i)).join());
    expect(conditions.negative.map((row) => known.includes(row.map(Math.round).join()))).toEqual(Array(5).fill(true));
    await succeed('train', '--resume', run, '--steps', '4');
  });

  it('must be what they were, and fit', async () => {
    await writeFile(negative, images((i) => 255 - pixel((i + 16) % 640)));
    const changed = await meanflow('evaluate', run, '--nfe', '1');
    expect(changed.err).toContain('the condition "negative", has changed since the run began');
    await writeFile(negative, images((i) => i % 251).subarray(0, -16));
    const args = ['train', '--unconditional', ...tiny, '--out', folder.path('none')];
    for (const [condition, from, message] of [
      [`negative=${negative}`, data, 'negatives.npy'],
      ['negative', data, 'expected name=path, such as sketch=sketches, got "negative"'],
      [`negative=${negative}`, 'digits', 'and "digits" is neither'],
      [`negative=${folder.path('no.npy')}`, data, 'no.npy'],
    ] as const) {
      const { status, err } = await meanflow(...args, '--data', from, '--condition', condition);
      expect([status === 0, err]).toEqual([false, expect.stringContaining(message)]);
    }
  });
}); // prettier-ignore
