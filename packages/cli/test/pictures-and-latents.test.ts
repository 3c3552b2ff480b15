/** What is told of pictures and latents by path, said at the start of a run, kept by it and overridden; and samples as other tools read them. */
import { existsSync } from 'node:fs';
import { cp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { HostArray, RandomKey } from '@meanflow/core';
import { decodeNpz, encodeNpy, encodeNpz } from '@meanflow/formats';
import { decodeImage } from '@meanflow/data/node';
import { openDataOf } from '@meanflow/runs/command';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { png, writeImageFolder } from './support/images.js';
import { writeJson } from './support/tiny.js';

const folder = temporaryFolder();
const configOf = async (run: string) => JSON.parse(await readFile(folder.path(run, 'config.json'), 'utf8'));
/** Odd files beside the tests of `@meanflow/data`, whose README says what they are. */
const cases = fileURLToPath(new URL('../../data/test/data/cases', import.meta.url));

beforeAll(() =>
  writeJson(folder.path('tiny.json'), {
    steps: 2,
    batch: 4,
    width: 16,
    depth: 1,
    evaluation: { samples: 8 },
  }),
);

/** Trains for a moment, into a folder named after the run. */
const train = (run: string, data: string, ...args: string[]) =>
  meanflow('train', '--data', data, '--config', folder.path('tiny.json'), '--out', folder.path(run), ...args);

describe('pictures', () => {
  it('of every kind are read, damaged ones are named or left out with a list, and all else is passed over', async () => {
    const photos = folder.path('photos');
    await cp(cases, folder.path('photos', 'odd'), { recursive: true });
    await writeImageFolder(photos, ['plain'], 4);
    await writeFile(folder.path('photos', 'odd', 'Thumbs.db'), 'thumbs');
    await writeFile(folder.path('photos', 'odd', 'a.json'), '{}');
    await symlink(folder.path('photos', 'plain'), folder.path('photos', 'link'));
    const read = await train('odd', photos, '--image-size', '8');
    expect(read).toMatchObject({ status: 0 });
    expect(read.err).toContain(
      'photos: 14 rows (11 to learn from, 3 held out) of images 8 × 8 × 3 (height, width, channels); 2 classes (odd 10, plain 4)',
    );
    expect(read.err).toContain(
      '3 other files passed over (.md, .db, .json); 1 link not followed (--follow-links)',
    );
    expect(await configOf('odd')).toMatchObject({ reading: { splits: 'none' } });

    await writeFile(folder.path('photos', 'odd', 'cut.png'), png(1).subarray(0, 70));
    await writeFile(folder.path('photos', 'odd', 'page.jpg'), '<html>');
    const refused = await train('refused', photos, '--image-size', '8');
    expect(refused).toMatchObject({ status: 1, out: '' });
    expect(refused.err).toContain('page.jpg: found a web page, expected a JPEG, PNG, WebP');
    expect(refused.err).toContain('--skip-damaged');
    expect(existsSync(folder.path('refused'))).toBe(false);
    const skipped = await train('skipped', photos, '--image-size', '8', '--skip-damaged', '--follow-links');
    expect(skipped).toMatchObject({ status: 0 });
    expect(skipped.err).toContain('3 classes (link 4, odd 10, plain 4)');
    expect(skipped.err).toMatch(
      /\nLeft out, as they cannot be read:\n {2}\S+cut\.png: .*\n {2}\S+page\.jpg: .*\n/,
    );
    await succeed('train', '--resume', folder.path('skipped'), '--steps', '3');
  });

  it('in folders of splits are told, and classes where that is asked for', async () => {
    const data = folder.path('splits');
    for (const split of ['train', 'valid'])
      await writeImageFolder(folder.path('splits', split), ['cat', 'dog'], 4);
    const told = await train('told', data);
    expect(told.err).toContain('2 classes (cat 8, dog 8)');
    expect(told.err).toContain('learns from the folder "train", is judged by "valid" (--split-folders)');
    expect(await configOf('told')).toMatchObject({ reading: { splits: ['train', 'valid'] } });
    expect((await train('classes', data, '--split-folders', 'none')).err).toContain(
      '2 classes (train 8, valid 8)',
    );
    // A run of an earlier version knew fewer names, and goes on with what it was begun with.
    const { reading: _, images: __, ...former } = await configOf('classes');
    expect((await openDataOf(former)).classNames).toEqual(['train', 'valid']);
    expect((await openDataOf(await configOf('told'))).classNames).toEqual(['cat', 'dog']);
  });

  it('of a size that cannot be halved so often are padded inside the network, which is said', async () => {
    await writeImageFolder(folder.path('prime'), ['a', 'b'], 4);
    const { err } = await train('prime-run', folder.path('prime'), '--image-size', '29');
    expect(err).toContain('images of 29 × 29 are made 32 × 32 by zeros, to be halved 2 times');
    expect(await configOf('prime-run')).toMatchObject({ network: { channelMultipliers: [1, 2, 4] } });
    await succeed('sample', folder.path('prime-run'), '--count', '2', '--out', folder.path('prime.npz'));
    const { arr_0 } = await decodeNpz(await readFile(folder.path('prime.npz')), 'prime.npz');
    expect(arr_0.shape).toEqual([2, 29, 29, 3]);
    expect((await train('even', folder.path('prime'), '--image-size', '28')).err).not.toContain('zeros');
  });

  it('larger than the limit are refused by their header, and taken where it is raised', async () => {
    await writeImageFolder(folder.path('large'), ['a', 'b'], 4);
    const refused = await train('small', folder.path('large'), '--max-image-bytes', '191');
    expect(refused).toMatchObject({ status: 1, out: '' });
    expect(refused.err).toContain('8 by 8 pixels of 3 channels, 192 bytes, expected 1 to 191');
    expect((await train('enough', folder.path('large'), '--max-image-bytes', '192')).status).toBe(0);
  });
});

describe('latents', () => {
  const values = (shape: readonly number[], change = (value: number, _: number) => 5 * value) =>
    new HostArray('float32', shape, RandomKey.fromSeed(1).normal(shape).data.map(change));
  const labels = new HostArray(
    'int32',
    [20],
    Int32Array.from({ length: 20 }, (_, i) => 1 + (i % 4)),
  );

  it('say how they were read, which the run keeps', async () => {
    await writeFile(folder.path('l.npz'), encodeNpz({ latents: values([20, 8, 8, 4]), labels }));
    const { err } = await train('l', folder.path('l.npz'));
    expect(err).toContain('of 8 × 8 × 4; 4 classes (1 5, 2 5, 3 5, 4 5)');
    expect(err).toContain('channels last in the file (--layout)');
    expect(err).not.toContain('WARNING');
    expect(await configOf('l')).toMatchObject({
      reading: { readAs: 'latents', from: 'nhwc', labelMeaning: 'distinct' },
    });
    const drawn = await succeed(
      'sample',
      folder.path('l'),
      '--class',
      '4',
      '--count',
      '2',
      '--out',
      folder.path('l-samples.npz'),
    );
    expect(drawn.err).toContain('2 samples');
    expect((await meanflow('sample', folder.path('l'), '--class', '0', '--count', '2')).status).toBe(2);
    const { arr_0, labels: drawnLabels } = await decodeNpz(
      await readFile(folder.path('l-samples.npz')),
      'samples',
    );
    expect([arr_0.dtype, arr_0.shape, [...drawnLabels.data]]).toEqual(['float64', [2, 8, 8, 4], [3, 3]]);
  });

  it('that could be read in two ways are asked for, and scaled ones are warned of', async () => {
    await writeFile(folder.path('cube.npy'), encodeNpy(values([20, 8, 8, 8])));
    const cube = await train('cube', folder.path('cube.npy'));
    expect(cube).toMatchObject({ status: 1, out: '' });
    expect(cube.err).toContain('(from: nchw or nhwc; on the command line --layout)');
    expect((await train('cube', folder.path('cube.npy'), '--layout', 'nchw')).status).toBe(0);
    const moments = values([20, 8, 8, 8], (value, i) =>
      Math.floor(i / 64) % 8 < 4 ? 5 * value : -2 + value / 9,
    );
    await writeFile(folder.path('m.npz'), encodeNpz({ latents: moments }));
    expect((await train('m', folder.path('m.npz'))).err).toContain('--latent-form');
    const { err } = await train('m', folder.path('m.npz'), '--latent-form', 'log-variance');
    expect(err).toContain('of 8 × 8 × 4; no classes');
    await writeFile(folder.path('s.npz'), encodeNpz({ latents: values([20, 4, 8, 8], (value) => value) }));
    expect((await train('s', folder.path('s.npz'))).err).toMatch(
      /deviation 0.18 after .*WARNING: a deviation of 0.18/,
    );
    const plain = await train('s-none', folder.path('s.npz'), '--latent-scale', 'none');
    expect(plain.err).toMatch(/deviation (0.9\d|1.0\d) after/);
    expect(plain.err).not.toContain('WARNING');
  });

  it('of PyTorch are read, and pictures in an array are pictures', async () => {
    const pictures = new HostArray(
      'int32',
      [12, 8, 8, 3],
      Int32Array.from({ length: 2304 }, (_, i) => (i * 7) % 256),
    );
    await writeFile(folder.path('p.npz'), encodeNpz({ images: pictures }));
    const { err } = await train('p', folder.path('p.npz'), '--flip');
    expect(err).toContain('of images 8 × 8 × 3 (height, width, channels); no classes');
    expect(err).toContain('pictures, channels last, 0 to 255 (--read-as, --layout, --pixel-range)');
    expect((await train('p2', folder.path('p.npz'), '--read-as', 'latents')).err).toContain(
      'of 8 × 8 × 3; no classes',
    );
    expect((await train('p3', folder.path('p.npz'), '--pixel-range', 'unit')).err).toContain(
      'not in the range unit',
    );
  });
});

describe('samples', () => {
  it('become an npz file and numbered PNG files of the same pixels', async () => {
    await writeJson(folder.path('shapes.json'), { data: 'shapes', steps: 2, batch: 4, network: { kind: 'dit', patchSize: 8, width: 16, depth: 1, heads: 2 }, evaluation: { samples: 8 } }); // prettier-ignore
    const run = folder.path('shapes');
    await succeed('train', '--config', folder.path('shapes.json'), '--out', run);
    const draw = (out: string, ...args: string[]) => meanflow('sample', run, '--count', '12', '--seed', '3', '--out', folder.path(out), ...args); // prettier-ignore
    expect((await draw('drawn.npz')).status).toBe(0);
    expect((await draw('pngs/')).status).toBe(0);
    const bytes = await readFile(folder.path('drawn.npz'));
    // NumPy's name for bytes, which tools expect of pictures.
    expect(bytes.includes("'descr': '|u1'")).toBe(true);
    const { arr_0, labels } = await decodeNpz(bytes, 'drawn.npz');
    expect([arr_0.shape, [...labels.data]]).toEqual([
      [12, 16, 16, 3],
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1],
    ]);
    const files = (await readdir(folder.path('pngs'))).sort();
    expect(files).toEqual([
      ...Array.from({ length: 12 }, (_, i) => `${String(i).padStart(6, '0')}.png`),
      'samples.json',
    ]);
    for (const i of [0, 7, 11]) {
      const image = await decodeImage(await readFile(folder.path('pngs', files[i])), files[i], 1e6);
      expect(image).toMatchObject({ width: 16, height: 16, channels: 3 });
      expect([...image.data]).toEqual([...arr_0.data.subarray(768 * i, 768 * (i + 1))]);
    }
    const facts = JSON.parse(await readFile(folder.path('pngs', 'samples.json'), 'utf8'));
    expect(facts).toMatchObject({ data: 'shapes', count: 12, seed: 3, nfe: 1, solver: 'average-velocity' });
    expect(facts.classes.slice(8)).toEqual(['crescent', 'dots', 'circle', 'square']);
    expect((await draw('pngs')).err).toContain('is not empty');
    expect((await draw('samples.bmp')).err).toContain('a name that ends with "/" is a folder of PNG files');
  });
});
