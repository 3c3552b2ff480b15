import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundlePage, servePage, type PageServer } from '../../src/chromium.js';
import { program } from './support.js';

let server: PageServer;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meanflow-page-'));
  for (const name of ['a.wasm', 'a.mjs', 'package.json']) await writeFile(join(folder, name), 'x');
  server = await servePage(new Map([['main.js', Buffer.from('export {};')]]), { '/library/': folder });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const get = (path: string): Promise<Response> => fetch(new URL(path, server.url));

test('the page, its program and the WebAssembly files are isolated', async () => {
  for (const [path, type] of [
    ['', 'text/html; charset=utf-8'],
    ['main.js', 'text/javascript'],
    ['library/a.wasm', 'application/wasm'],
    ['library/a.mjs', 'text/javascript'],
  ]) {
    const response = await get(path);
    expect([path, response.status]).toEqual([path, 200]);
    expect(response.headers.get('content-type')).toBe(type);
    expect(response.headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(response.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
  }
});

test.each(['other.js', 'library/none.wasm', 'library/package.json', 'library/..%2fa.wasm', 'library/'])(
  'there is no %s',
  async (path) => {
    expect((await get(path)).status).toBe(404);
  },
);

test('the program is bundled for a browser', async () => {
  const bundle = await bundlePage(program);
  expect(bundle.has('main.js')).toBe(true);
  const text = [...bundle.values()].map((content) => new TextDecoder().decode(content)).join('\n');
  expect(text).not.toMatch(/\bfrom ["']node:|require\(["']node:/);
});
