import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { BackendError } from '@meanflow/core';
import { findChromium } from '../../src/chromium.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meanflow-chromium-'));
  for (const name of ['google-chrome', 'mine']) await writeFile(join(folder, name), '');
});
afterAll(() => rm(folder, { recursive: true }));

test('CHROMIUM_PATH comes before PATH', () => {
  const PATH = ['/nowhere', folder].join(delimiter);
  expect(findChromium({ PATH })).toBe(join(folder, 'google-chrome'));
  expect(findChromium({ PATH, CHROMIUM_PATH: '' })).toBe(join(folder, 'google-chrome'));
  expect(findChromium({ PATH, CHROMIUM_PATH: join(folder, 'mine') })).toBe(join(folder, 'mine'));
});

test('its absence is an error that says what to install', () => {
  expect(() => findChromium({ PATH: '/nowhere' })).toThrow(BackendError);
  expect(() => findChromium({})).toThrow(/looked for chromium, .*apt-get install chromium.*CHROMIUM_PATH/);
  const elsewhere = { PATH: folder, CHROMIUM_PATH: '/nowhere/chromium' };
  expect(() => findChromium(elsewhere)).toThrow(
    'CHROMIUM_PATH is "/nowhere/chromium", where there is no file',
  );
});
