/** Decoding ahead, in a process that runs from source as Jest's own threads cannot. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { imageFile } from '../images/read-images.js';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

it('decodes in a thread what is asked for, the same as without, and lets the process end', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'meanflow-ahead-'));
  const files = {
    'a/1.png': imageFile('rgba.png'),
    'a/2.jpg': imageFile('420.jpg'),
    'b/3.png': imageFile('palette-8.png'),
    'b/4.png': imageFile('rgb.png').subarray(0, 150),
    'b/5.jpg': imageFile('progressive.jpg'),
  };
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(join(folder, name[0]), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions',
    '@meanflow/source',
    '--import',
    at('../../../../scripts/typescript-loader.mjs'),
    at('read-ahead-program.ts'),
    folder,
  ]);
  expect(JSON.parse(stdout)).toEqual({
    taken: ['same', 'same', 'same', 'unreadable', 'same'],
    again: null,
    forgotten: null,
    errors: [`${join(folder, 'b/4.png')}: the PNG image is cut short.`],
  });
  await rm(folder, { recursive: true });
});
