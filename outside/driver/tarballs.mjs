/** The packages as they would be published. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.mjs';

/**
 * Builds and packs every published package, into `release/`.
 *
 * @returns each tarball's file, its package.json and the digest that npm checks
 */
export function packPackages() {
  execFileSync(process.execPath, [join(root, 'scripts', 'pack.mjs')], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const folder = join(root, 'release');
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.tgz'));
  return files.map((name) => readTarball(join(folder, name)));
}

function readTarball(file) {
  const manifest = JSON.parse(
    execFileSync('tar', ['-xzOf', file, 'package/package.json'], { encoding: 'utf8' }),
  );
  const digest = createHash('sha512').update(readFileSync(file)).digest('base64');
  return { file, manifest, integrity: `sha512-${digest}` };
}
