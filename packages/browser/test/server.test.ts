import { bundlePage } from '../src/bundle.js';
import { servePage, type PageServer } from '../src/server.js';

let server: PageServer;
beforeAll(async () => {
  server = await servePage(new Map([['main.js', Buffer.from('export {};')]]));
});
afterAll(() => server.close());

const get = (path: string): Promise<Response> => fetch(new URL(path, server.url));

test('the page, its program and the WebAssembly files are isolated', async () => {
  for (const [path, type] of [
    ['', 'text/html; charset=utf-8'],
    ['main.js', 'text/javascript'],
    ['onnxruntime-web/ort-wasm-simd-threaded.wasm', 'application/wasm'],
    ['onnxruntime-web/ort-wasm-simd-threaded.mjs', 'text/javascript'],
  ]) {
    const response = await get(path);
    expect([path, response.status]).toEqual([path, 200]);
    expect(response.headers.get('content-type')).toBe(type);
    expect(response.headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(response.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
  }
});

test.each(['other.js', 'onnxruntime-web/none.wasm', 'onnxruntime-web/..%2fpackage.json', 'onnxruntime-web/'])(
  'there is no %s',
  async (path) => {
    expect((await get(path)).status).toBe(404);
  },
);

test('the program is bundled for a browser, each backend in a file of its own', async () => {
  const bundle = await bundlePage();
  expect(bundle.has('main.js')).toBe(true);
  expect(bundle.size).toBeGreaterThan(3);
  const text = [...bundle.values()].map((content) => new TextDecoder().decode(content)).join('\n');
  expect(text).not.toMatch(/\bfrom ["']node:|require\(["']node:/);
});
