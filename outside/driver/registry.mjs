/**
 * An npm registry of this machine that has our tarballs and passes every other name on to the public one, so that what users type,
 * `npm install meanflow`, means here what it will mean when the packages are published.
 */
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';

/**
 * @param {readonly { manifest: object, integrity: string, file: string }[]} tarballs
 * @param {string} upstream where the other packages are
 * @returns {Promise<{ url: string, close(): void }>}
 */
export async function serveRegistry(tarballs, upstream) {
  const byName = new Map(tarballs.map((tarball) => [tarball.manifest.name, tarball]));
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url.slice(1));
    const tarball = byName.get(path.replace(/\/-\/.*$/, ''));
    if (tarball === undefined) {
      response.writeHead(302, { location: new URL(request.url, upstream).href }).end();
    } else if (path.includes('/-/')) {
      createReadStream(tarball.file).pipe(response);
    } else {
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(JSON.stringify(packument(tarball, `${url}${path}/-/package.tgz`)));
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}/`;
  return { url, close: () => server.close().closeAllConnections() };
}

/** What a registry says of a package that has one version. */
function packument({ manifest, integrity }, tarball) {
  const { name, version } = manifest;
  const published = { ...manifest, dist: { integrity, tarball } };
  return { name, 'dist-tags': { latest: version }, versions: { [version]: published } };
}
