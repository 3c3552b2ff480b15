/** A thread of its own, which Jest's loader reaches as it does the program's. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DecodingThread } from '../../src/node/decoding-thread.js';
import { readImage } from '../../src/node/read-image.js';
import { imageFile } from '../images/read-images.js';

const options = { imageShape: [8, 8, 3], isCropped: true, maxImageBytes: 1e6 } as const;
const contents = [
  imageFile('rgba.png'),
  imageFile('420.jpg'),
  imageFile('palette-8.png'),
  imageFile('rgb.png').subarray(0, 150),
  imageFile('progressive.jpg'),
];
let folder: string;
let files: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meanflow-ahead-'));
  await mkdir(folder, { recursive: true });
  files = contents.map((_, i) => join(folder, `${i}.image`));
  for (const [i, bytes] of contents.entries()) await writeFile(files[i], bytes);
});
afterAll(() => rm(folder, { recursive: true }));

it('decodes what is asked for, ahead or not, the same as without', async () => {
  const thread = new DecodingThread(files, options);
  thread.request([0, 1, 2]);
  for (const row of [2, 4, 0, 1, 0]) expect(thread.take(row)).toEqual(await readImage(files[row], options));
  thread.request([1, 2]);
  thread.request([2]);
  expect(thread.take(2)).toEqual(await readImage(files[2], options));
  expect(thread.take(1)).toEqual(await readImage(files[1], options));
});

it('tells the error of an image to who takes it, and goes on', async () => {
  const thread = new DecodingThread(files, options);
  thread.request([3, 4]);
  expect(() => thread.take(3)).toThrow(`${files[3]}: the PNG image is damaged or cut short`);
  expect(() => thread.take(3)).toThrow('--skip-damaged');
  expect(thread.take(4)).toEqual(await readImage(files[4], options));
});
