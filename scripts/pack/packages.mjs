/** The packages of this workspace that are published: those in `packages/` that are not private. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The `package.json` of a folder. */
export const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** @returns {{ folder: string, path: string, manifest: Record<string, any> }[]} by path from the root, such as `packages/core` */
export function publishedPackages() {
  return readdirSync(join(root, 'packages'))
    .map((name) => {
      const path = `packages/${name}`;
      const folder = join(root, path);
      return { folder, path, manifest: manifestOf(folder) };
    })
    .filter(({ manifest }) => manifest.private !== true);
}
