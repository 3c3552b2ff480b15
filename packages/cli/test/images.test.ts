/** Images and latents by path, through the command: trained on, judged, sampled from without them, and missed when they change. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { HostArray } from '@meanflow/core';
import { encodeSafetensors } from '@meanflow/formats';
import { decode } from 'fast-png';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { png, writeCifar, writeIdx, writeImageFolder } from './support/images.js';
import { writeJson } from './support/tiny.js';

const folder = temporaryFolder();

const tiny = {
  network: { kind: 'dit', patchSize: 4, width: 16, depth: 1, heads: 2 },
  steps: 3,
  batch: 4,
  logEvery: 1,
  evaluation: { samples: 8, metrics: ['sliced-wasserstein-2'] },
};
/** Without a cache images are not decoded ahead in a thread, which is not started from source here. */
const unread = { cacheBytes: 0 };

const configOf = async (run: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(folder.path(run, 'config.json'), 'utf8')) as Record<string, unknown>;

beforeAll(async () => {
  await writeImageFolder(folder.path('photos'), ['cat', 'dog'], 6);
  await writeImageFolder(folder.path('one'), ['cat'], 6);
  await writeIdx(folder.path('idx'), 12);
  await writeCifar(folder.path('cifar'), 4);
  await writeJson(folder.path('tiny.json'), tiny);
  await writeJson(folder.path('photos.json'), { ...tiny, images: unread });
});

describe('a folder of images', () => {
  const train = (...args: string[]) =>
    succeed('train', '--data', folder.path('photos'), '--config', folder.path('photos.json'), ...args);

  it('is trained on with flips and crops, judged, and gone on with', async () => {
    const run = folder.path('run');
    await train('--flip', '--crop-padding', '1', '--image-size', '8', '--out', run);
    expect(await configOf('run')).toMatchObject({
      images: { ...unread, size: 8, flip: true, cropPadding: 1 },
      conditional: true,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const { out } = await succeed('evaluate', run, '--nfe', '1', '--json');
    expect(JSON.parse(out)).toMatchObject({ data: 'photos', results: [{ nfe: 1 }] });
    await succeed('train', '--resume', run, '--steps', '5');
    expect((await succeed('info', run)).out).toContain('samples of 8 × 8 × 3, conditional on 2 classes');
  });

  it('is resized to --image-size', async () => {
    await train('--image-size', '4', '--out', folder.path('small'));
    expect((await succeed('info', folder.path('small'))).out).toContain('samples of 4 × 4 × 3');
  });

  it('is missed when it changes, but not for samples', async () => {
    const run = folder.path('changing');
    await train('--out', run);
    const path = folder.path('photos', 'dog', '0.png');
    const former = await readFile(path);
    const other = png(99);
    expect(other).toHaveLength(former.length);
    await writeFile(path, other);
    for (const args of [
      ['evaluate', run],
      ['train', '--resume', run, '--steps', '9'],
    ]) {
      // prettier-ignore
      const outcome = await meanflow(...args);
      expect(outcome).toMatchObject({ status: 1, out: '' });
      expect(outcome.err).toMatch(
        /photos" has changed since the run began: its SHA-256 is .* Put the former images back/,
      );
    }
    await writeFile(path, former);
    await succeed('evaluate', run, '--nfe', '1');
    await rename(folder.path('photos'), folder.path('moved'));
    try {
      const grid = folder.path('grid.png');
      await succeed('sample', run, '--grid', '2x3', '--class', 'dog', '--out', grid);
      expect(decode(await readFile(grid))).toMatchObject({ channels: 3 });
      expect((await meanflow('evaluate', run)).err).toContain('photos');
    } finally {
      await rename(folder.path('moved'), folder.path('photos'));
    }
  });

  it('needs no classes without condition', async () => {
    const args = ['--data', folder.path('one'), '--config', folder.path('photos.json')];
    const outcome = await meanflow('train', ...args, '--out', folder.path('one-run'));
    expect(outcome).toMatchObject({ status: 1, out: '' });
    expect(outcome.err).toContain(
      'found one folder with images, "cat", in it, expected a folder of images for each of at least two classes. ' +
        'A model that is not told the class needs none: on the command line that is --unconditional.',
    );
    expect(existsSync(folder.path('one-run'))).toBe(false);
    await succeed('train', ...args, '--unconditional', '--out', folder.path('one-run'));
    expect(await configOf('one-run')).toMatchObject({ conditional: false });
  });

  it('is compared on', async () => {
    const { evaluation, network, steps, batch } = tiny;
    const config = await writeJson(folder.path('compare.json'), {
      images: unread,
      recipes: { [folder.path('photos')]: { evaluation, network, steps, batch } },
    });
    const args = ['--data', folder.path('photos'), '--method', 'flow-matching,meanflow', '--jobs', '1'];
    await succeed('compare', ...args, '--config', config, '--out', folder.path('compared'));
    const results = JSON.parse(await readFile(folder.path('compared', 'results.json'), 'utf8'));
    expect(results.datasets[0]).toMatchObject({ description: '12 rows, images of 8 × 8 × 3, 2 classes' });
    expect(results.datasets[0].methods).toHaveLength(2);
  });
});

it('files of MNIST’s kind, by their folder or the images themselves', async () => {
  for (const [i, data] of ['idx', 'idx/train-images-idx3-ubyte'].entries()) {
    const run = folder.path(`idx-${i}`);
    await succeed('train', '--data', folder.path(data), '--config', folder.path('tiny.json'), '--out', run);
    const { out } = await succeed('info', run);
    expect(out).toContain('8 × 8 × 1, conditional on 2 classes');
    expect(out).toContain(`${basename(data)}, samples of`);
  }
});

it('CIFAR’s files, channels first for the U-Net, with dropout', async () => {
  const network = { kind: 'song-unet', channels: 4, channelMultipliers: [1], blocks: 1, attentionResolutions: [], dropout: 0.5 }; // prettier-ignore
  const config = await writeJson(folder.path('unet.json'), { ...tiny, network, data: folder.path('cifar') });
  await succeed('train', '--config', config, '--unconditional', '--out', folder.path('plain'));
  expect((await succeed('info', folder.path('plain'))).out).not.toContain('conditional on');
  await succeed('train', '--config', config, '--out', folder.path('unet'));
  expect((await succeed('info', folder.path('unet'))).out).toContain('conditional on 10 classes');
  const out = folder.path('unet.png');
  await succeed('sample', folder.path('unet'), '--grid', '1x2', '--out', out);
  expect(decode(await readFile(out)).width).toBeGreaterThan(64);
  expect((await succeed('info', folder.path('unet'))).out).toContain('song-unet of 4 channels');
  await succeed('evaluate', folder.path('unet'), '--nfe', '1');
});

it('latents in a safetensors file, in the range of the recipe', async () => {
  const latents = Float32Array.from({ length: 12 * 4 * 64 }, (_, i) => Math.sin(i));
  const labels = Int32Array.from({ length: 12 }, (_, i) => i % 3);
  const path = folder.path('latents.safetensors');
  await writeFile(
    path,
    encodeSafetensors({
      latents: new HostArray('float32', [12, 4, 8, 8], latents),
      labels: new HostArray('int32', [12], labels),
    }),
  );
  const network = { width: 16, depth: 2, heads: 2, headDepth: 1, velocityHead: { depth: 1 } };
  const { evaluation, batch } = tiny;
  const changes = { recipe: 'imf-dit-b-2', network, batch, evaluation, steps: 2 };
  const config = await writeJson(folder.path('latents.json'), changes);
  const run = folder.path('latents-run');
  await succeed('train', '--data', path, '--config', config, '--out', run);
  expect(await configOf('latents-run')).toMatchObject({
    latents: { scale: 'improved-meanflow' },
    // Ten passes of two batches: 9 of the 12 rows are learnt from.
    optimizer: { warmUpSteps: 20, warmUpFrom: 0 },
    steps: 2,
    recipe: 'imf-dit-b-2',
  });
  // The run's own configuration makes the same run again.
  await succeed(
    'train',
    '--config',
    folder.path('latents-run', 'config.json'),
    '--out',
    folder.path('again'),
  );
  expect(await configOf('again')).toEqual(await configOf('latents-run'));
  const out = folder.path('latents.csv');
  await succeed('sample', run, '--count', '3', '--guidance', '2', '--out', out);
  expect((await readFile(out, 'utf8')).trim().split('\n')).toHaveLength(4);
});

it('pixel MeanFlow as published: Muon, and averages by half-lives', async () => {
  const network = { patchSize: 4, width: 16, depth: 2, heads: 2, headDepth: 1, velocityHead: { depth: 1 }, bottleneck: 8 }; // prettier-ignore
  const changes = { recipe: 'pmf-dit-b-16', network, images: { ...unread, size: 8 }, batch: 4, epochs: 2 };
  const config = await writeJson(folder.path('pmf.json'), changes);
  const run = folder.path('pmf');
  await succeed('train', '--data', folder.path('photos'), '--config', config, '--out', run);
  const found = await configOf('pmf');
  expect(found).toMatchObject({ steps: 4, images: { size: 8, flip: true }, optimizer: { kind: 'muon' } });
  expect(found).not.toHaveProperty('epochs');
  const { out } = await succeed('info', run);
  expect(out).toContain('averages     1000000, 2000000, 500000');
  expect(out).toContain('the average of half-life 2000000 samples');
  await succeed('train', '--resume', run, '--steps', '6');
  await succeed('sample', run, '--grid', '1x2', '--out', folder.path('pmf.png'));
});

describe('wrong input', () => {
  beforeAll(async () => {
    await writeIdx(folder.path('counts'), 12, 11);
    await writeIdx(folder.path('short'), 12);
    const images = folder.path('short', 'train-images-idx3-ubyte');
    await writeFile(images, (await readFile(images)).subarray(0, 500));
    await writeImageFolder(folder.path('text'), ['a', 'b'], 3);
    await writeFile(folder.path('text', 'b', 'notes.png'), 'no image');
    await writeImageFolder(folder.path('cut'), ['a', 'b'], 3);
    const whole = await readFile(folder.path('cut', 'a', '0.png'));
    for (const name of ['a', 'b']) await writeFile(folder.path('cut', name, '0.png'), whole.subarray(0, whole.length - 20)); // prettier-ignore
    await writeImageFolder(folder.path('sizes'), ['a', 'b'], 3);
    await writeFile(folder.path('sizes', 'a', '9.png'), png(1, 8, 12));
    await mkdir(folder.path('empty', 'a'), { recursive: true });
    await mkdir(folder.path('empty', 'b'));
    await writeCifar(folder.path('part'), 2);
    await rm(folder.path('part', 'data_batch_3.bin'));
    await writeFile(folder.path('bad.npz'), 'not a zip file');
  });

  it.each([
    ['wrong counts', 'counts', [], 1, 'found labels [11], expected [12]'],
    ['a file that is cut short', 'short', [], 1, 'takes 768 bytes, found 484: the file is cut short'],
    ['what is no image', 'text', [], 1, 'notes.png: found a file that begins with'],
    ['images of several sizes', 'sizes', [], 1, 'the images are of different sizes'],
    ['classes without images', 'empty', [], 1, 'there is no image in it'],
    ['a missing file', 'part', [], 1, 'data_batch_3.bin: there is no such file'],
    ['damaged latents', 'bad.npz', [], 1, 'bad.npz'],
    [
      'a size for what is no folder',
      'idx',
      ['--image-size', '8'],
      2,
      'images.size does not apply to the data',
    ],
    ['a label for images', 'photos', ['--label', 'kind'], 2, 'would be the column of a CSV file'],
    ['patches that do not fit', 'photos', ['--image-size', '1'], 2, 'sides of at least'],
    ['an unknown recipe', 'photos', ['--recipe', 'imf-dit-b2'], 2, 'Did you mean "imf-dit-b-2"?'],
    ['a batch beyond the data', 'idx', ['--recipe', 'dit-b-2'], 2, 'batch: expected at most the 10 rows'],
  ])('%s', async (_, data, args, status, message) => {
    const out = folder.path('OUT');
    const all = ['train', '--data', folder.path(data), '--config', folder.path('tiny.json'), ...args];
    const outcome = await meanflow(...(args[0] === '--recipe' ? all.filter((arg, i) => i !== 3 && i !== 4) : all), '--out', out); // prettier-ignore
    expect(outcome).toMatchObject({ status, out: '' });
    expect(outcome.err).toContain(message);
    expect(outcome.err).not.toMatch(/^\s+at /m);
    expect(existsSync(out)).toBe(false);
  });

  it('an image that is cut short is named when it is read', async () => {
    const outcome = await meanflow('train', '--data', folder.path('cut'), '--config', folder.path('photos.json'), '--out', folder.path('cut-run')); // prettier-ignore
    expect(outcome).toMatchObject({ status: 1, out: '' });
    expect(outcome.err).toMatch(/0\.png: /);
  });

  it.each([
    ['settings of other data', { latents: { scale: 'none' } }, 'no file of latents'],
    [
      'both lengths',
      { steps: 2, epochs: 2 },
      'steps (line 1): expected updates or passes over the data, got both',
    ],
    ['an average that is not kept', { sampling: { ema: 0.5 } }, 'expected a decay or half-life of ema'],
    ['Muon for what nobody published', { network: { kind: 'mlp', width: 4, depth: 1 }, optimizer: { kind: 'muon', learningRate: 1, schedule: 'constant', warmUpSteps: 0, beta: 0.9, adam: { beta1: 0.9, beta2: 0.9, epsilon: 1 } } }, 'Muon'], // prettier-ignore
  ])('%s', async (name, changes, message) => {
    const config = await writeJson(folder.path('wrong.json'), { ...tiny, ...changes });
    const outcome = await meanflow('train', '--data', folder.path('idx'), '--config', config, '--out', folder.path('OUT')); // prettier-ignore
    expect(outcome).toMatchObject({ status: 2, out: '' });
    expect(outcome.err).toContain(message);
    expect(existsSync(folder.path('OUT'))).toBe(false);
  });

  it('passes over data that is drawn afresh', async () => {
    const outcome = await meanflow('train', '--epochs', '2', '--out', folder.path('OUT'));
    expect(outcome).toMatchObject({ status: 2, out: '' });
    expect(outcome.err).toContain('is drawn afresh and has no passes');
  });
});
