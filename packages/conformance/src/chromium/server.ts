/**
 * The page's server: the bundle and the WebAssembly files of its libraries, to this machine only. Its headers isolate the page,
 * without which a browser gives it no shared memory and so no threads in WebAssembly.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { ENTRY, type Bundle } from './bundle.js';

export interface PageServer {
  /** Of the page. */
  readonly url: string;
  close(): Promise<void>;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

const html = Buffer.from(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>meanflow conformance</title><link rel="icon" href="data:,"></head>
<body><script type="module" src="/${ENTRY}"></script></body></html>
`);

/** Serves the page at a port that is free. */
export async function servePage(
  bundle: Bundle,
  folders: Readonly<Record<string, string>> = {},
): Promise<PageServer> {
  const find = async (path: string): Promise<Uint8Array | undefined> => {
    if (path === '/index.html') return html;
    const folder = Object.entries(folders).find(([prefix]) => path.startsWith(prefix));
    if (folder === undefined) return bundle.get(path.slice(1));
    const file = path.slice(folder[0].length);
    // A bare name, so that nothing outside of the folder can be asked for.
    if (!/^[\w.-]+\.(wasm|mjs)$/.test(file)) return undefined;
    return readFile(join(folder[1], file)).catch(() => undefined);
  };
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const named = path === '/' ? '/index.html' : path;
    void find(named).then((content) => answer(response, named, content));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(response: ServerResponse, path: string, content: Uint8Array | undefined): void {
  if (content === undefined) response.writeHead(404, isolation).end(`There is no ${path}.`);
  else response.writeHead(200, { ...isolation, 'content-type': types[extname(path)] }).end(content);
}
