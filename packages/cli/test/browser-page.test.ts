/** The page of docs/published-models.md, in Chromium with onnxruntime-web, draws what an exported file makes. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { basename, dirname, extname, join } from 'node:path';
import { findChromium, launchChromium } from '@meanflow/conformance/chromium';
import * as ort from 'onnxruntime-node';
import { succeed, temporaryFolder } from './support/cli.js';
import { networks, tinyVae, writeDecoder, writeNetwork } from './support/published.js';
import { writeJson } from './support/tiny.js';

/** Why there is no Chromium, if there is none. */
function absence(): string | undefined {
  try {
    findChromium();
    return undefined;
  } catch (error) {
    if (process.env.MEANFLOW_REQUIRE_CHROMIUM === '1') throw error;
    return (error as Error).message.replaceAll('\n', ' ');
  }
}

const folder = temporaryFolder();
const reason = absence();
const describeChromium = reason === undefined ? describe : describe.skip;
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** Serves the page, the exported file and ONNX Runtime's own files. */
async function serve(html: string): Promise<{ url: string; close(): void }> {
  const ortFolder = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const name = basename(pathname);
    const content =
      pathname === '/'
        ? Promise.resolve(Buffer.from(html))
        : readFile(pathname.startsWith('/onnxruntime-web/') ? join(ortFolder, name) : folder.path(name));
    content.then(
      (bytes) => {
        const type = types[extname(name) || '.html'] ?? 'application/octet-stream';
        response.writeHead(200, { 'content-type': type }).end(bytes);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close };
}

describeChromium(`in Chromium${reason === undefined ? '' : `: ${reason}`}`, () => {
  test('the page of the documentation draws a picture from latents and their decoder', async () => {
    const vae = await writeDecoder(folder.path('vae-published'));
    const half = await writeJson(folder.path('vae.json'), { autoencoder: tinyVae });
    await succeed('import', vae, '--config', half, '--out', folder.path('vae.safetensors'));
    const source = await writeNetwork(folder.path('published'), networks['imf-dit']);
    const config = await writeJson(folder.path('config.json'), networks['imf-dit']);
    await succeed('import', source, '--config', config, '--out', folder.path('model.safetensors'));
    const decoder = ['--vae', folder.path('vae.safetensors')];
    const file = folder.path('sampler.onnx');
    await succeed('export', folder.path('model.safetensors'), ...decoder, '--out', file);

    const text = await readFile(new URL('../../../docs/published-models.md', import.meta.url), 'utf8');
    const [, html] = /```html\n([^]*?)```/.exec(text)!;
    // The tiny network has three classes, and what it makes is compared.
    const page = html
      .replace('Int32Array.of(207)', 'Int32Array.of(2)')
      .replace('b) }, normal)', 'b) }, (_, i) => Math.sin(i))');
    expect(page).toContain('Int32Array.of(2)');
    expect(page).toContain('Math.sin(i)');
    const session = await ort.InferenceSession.create(file);
    const { samples } = await session.run({
      noise: new ort.Tensor(
        'float32',
        Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)),
        [1, 4, 4, 4],
      ),
      label: new ort.Tensor('int32', Int32Array.of(2), [1]),
    });
    await session.release();
    const wanted = Uint8ClampedArray.from(samples.data as Float32Array);
    expect(new Set(wanted).size).toBeGreaterThan(20);
    const [server, chromium] = [await serve(page), await launchChromium()];
    try {
      const tab = await chromium.newPage();
      const problems: string[] = [];
      tab.on('pageerror', (error) => problems.push(error.message));
      await tab.goto(server.url);
      await tab.waitForFunction('document.querySelector("canvas").width === 8 || undefined', undefined, {
        timeout: 60_000,
      });
      const pixels = await tab.evaluate<number[]>(
        'Array.from(document.querySelector("canvas").getContext("2d").getImageData(0, 0, 8, 8).data)',
      );
      expect(problems).toEqual([]);
      const colours = pixels.filter((_, i) => i % 4 < 3);
      expect(colours).toHaveLength(wanted.length);
      // What lies between two values may be rounded to either.
      expect(Math.max(...colours.map((value, i) => Math.abs(value - wanted[i])))).toBeLessThanOrEqual(1);
      expect(pixels.filter((_, i) => i % 4 === 3)).toEqual(new Array(64).fill(255));
    } finally {
      server.close();
      await chromium.close();
    }
  }, 120_000);
});
