/**
 * An ESLint rule: no file of a package imports itself by way of others of that package, types included. Whoever reads one file
 * of a circle has to read them all, and which of them runs first depends on who is imported first. (What `import()` loads when
 * it is needed is no part of a circle.)
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

/** The files that each file imports, for as long as the process lives. */
const known = new Map();

export const noCircles = {
  meta: { type: 'problem', schema: [], messages: { circle: 'This import closes a circle: {{path}}.' } },
  create(context) {
    const check = ({ source }) => {
      const target = source && fileOf(context.filename, source.value);
      const path = target && pathBetween(target, context.filename);
      if (!path) return;
      const names = [context.filename, ...path].map((file) => relative(packageOf(file), file));
      context.report({ node: source, messageId: 'circle', data: { path: names.join(' → ') } });
    };
    return {
      Program: () => known.delete(context.filename),
      ...{ ImportDeclaration: check, ExportNamedDeclaration: check, ExportAllDeclaration: check },
    };
  },
};

/** The shortest way by imports from one file to another of its package; undefined where there is none. */
function pathBetween(from, to) {
  const cameFrom = new Map([[from, undefined]]);
  for (const file of cameFrom.keys()) {
    if (file === to) {
      const path = [];
      for (let at = file; at !== undefined; at = cameFrom.get(at)) path.unshift(at);
      return path;
    }
    for (const next of importsOf(file)) if (!cameFrom.has(next)) cameFrom.set(next, file);
  }
  return undefined;
}

function importsOf(file) {
  let found = known.get(file);
  if (found === undefined) {
    const { statements } = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest);
    found = statements
      .map(({ moduleSpecifier }) => moduleSpecifier && fileOf(file, moduleSpecifier.text))
      .filter((path) => path !== undefined);
    known.set(file, found);
  }
  return found;
}

/** The source behind a relative import, which names what it is compiled to. */
function fileOf(importer, specifier) {
  if (!specifier.startsWith('.')) return undefined;
  const path = resolve(dirname(importer), specifier);
  return [path.replace(/\.js$/, '.ts'), path].find(
    (candidate) => /\.\w+$/.test(candidate) && existsSync(candidate),
  );
}

function packageOf(file) {
  const folder = dirname(file);
  return folder === file || existsSync(join(folder, 'package.json')) ? folder : packageOf(folder);
}
