/**
 * A package as it is published, staged in a folder of its own: the files that npm would pack, without what an earlier build left
 * behind, and its `package.json` without what only this workspace reads.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What only this workspace reads of a `package.json`. */
const WORKSPACE_FIELDS = ['devDependencies', 'nx', 'scripts'];
/** The condition under which packages of this workspace find each other's sources. */
const SOURCE_CONDITION = '@meanflow/source';

/**
 * Writes a staged package.
 *
 * @param {{ folder: string, path: string, manifest: Record<string, any> }} from the package in the workspace
 * @param {readonly string[]} files the files that npm would pack of it, by path from its folder
 * @param {string} to a folder that does not exist yet
 * @param {Record<string, string>} optionalDependencies those it has beside its own when it is published
 */
export function stage({ folder, path, manifest }, files, to, optionalDependencies = {}) {
  const write = {
    'package.json': (text) =>
      `${JSON.stringify(publishedManifest(JSON.parse(text), optionalDependencies), undefined, 2)}\n`,
    'README.md': (text) => withWholeLinks(text, `${repositoryPage(manifest)}/blob/main/${path}`),
  };
  for (const file of files.filter((file) => !isLeftBehind(folder, file))) {
    const [original, copy] = [join(folder, file), join(to, file)];
    mkdirSync(dirname(copy), { recursive: true });
    if (file in write) writeFileSync(copy, write[file](readFileSync(original, 'utf8')));
    else copyFileSync(original, copy);
  }
}

/** A `package.json` as it is published. */
export function publishedManifest(manifest, optionalDependencies = {}) {
  const optional = { ...manifest.optionalDependencies, ...optionalDependencies };
  return without(
    {
      ...manifest,
      exports: Object.fromEntries(
        Object.entries(manifest.exports).map(([door, target]) => [
          door,
          typeof target === 'string' ? target : without(target, [SOURCE_CONDITION]),
        ]),
      ),
      optionalDependencies: optional,
    },
    Object.keys(optional).length > 0 ? WORKSPACE_FIELDS : [...WORKSPACE_FIELDS, 'optionalDependencies'],
  );
}

const without = (object, keys) =>
  Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));

/** Whether a file in `dist` has no source any more: TypeScript never removes what it once wrote. */
function isLeftBehind(folder, file) {
  const built = /^dist\/(.+?)\.(d\.ts|js)(\.map)?$/.exec(file);
  return built !== null && !existsSync(join(folder, 'src', `${built[1]}.ts`));
}

const repositoryPage = ({ repository }) => repository.url.replace(/^git\+|\.git$/g, '');

/** A text of Markdown whose links to files are links to a page: what a package links to is not there once it is installed. */
export function withWholeLinks(text, page) {
  return text.replace(/\]\((?![a-z]+:|#)([^)\s]+)\)/g, (_, link) => `](${new URL(link, `${page}/`).href})`);
}
