/**
 * Makes the JavaScript that the `meanflow` command runs, file by file and without checking types: seconds, where `tsc -b` takes most
 * of a minute. What is there already, from here or from `tsc`, and is newer than its source stays; `npm run build` makes all of
 * it, declarations included.
 *
 *     node scripts/transpile.mjs
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformFile } from '@swc/core';

const PACKAGES = fileURLToPath(new URL('../packages', import.meta.url));
const COMMAND = 'meanflow';

const manifests = new Map(
  readdirSync(PACKAGES).map((folder) => {
    const manifest = JSON.parse(readFileSync(join(PACKAGES, folder, 'package.json'), 'utf8'));
    return [
      manifest.name,
      { folder: join(PACKAGES, folder), needs: Object.keys(manifest.dependencies ?? {}) },
    ];
  }),
);

/** The folders of a package and of those of ours that it needs. */
function foldersOf(name, found = new Map()) {
  const manifest = manifests.get(name);
  if (manifest === undefined || found.has(name)) return found;
  found.set(name, manifest.folder);
  for (const needed of manifest.needs) foldersOf(needed, found);
  return found;
}

/** What is yet to be made of a folder's sources. */
function outdated(folder) {
  return readdirSync(join(folder, 'src'), { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({
      source: join(folder, 'src', name),
      target: join(folder, 'dist', name.replace(/\.ts$/, '.js')),
    }))
    .filter(({ source, target }) => !(modified(target) >= modified(source)));
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

async function transpile({ source, target }) {
  const { code } = await transformFile(source, {
    swcrc: false,
    sourceMaps: 'inline',
    jsc: {
      parser: { syntax: 'typescript' },
      target: 'es2022',
      transform: { verbatimModuleSyntax: true },
    },
    module: { type: 'es6' },
  });
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, code);
}

await Promise.all([...foldersOf(COMMAND).values()].flatMap(outdated).map(transpile));
