/** Which version of a package would be loaded. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/**
 * The version of a package; undefined when it is not installed.
 *
 * @param from the module that would load it, `import.meta.url` there; this package by default
 */
export function installedVersion(name: string, from: string = import.meta.url): string | undefined {
  // Looked up in the folders, because a package need not export its package.json.
  const folders = createRequire(from).resolve.paths(name) ?? [];
  const file = folders.map((folder) => join(folder, name, 'package.json')).find((path) => existsSync(path));
  if (file === undefined) return undefined;
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
