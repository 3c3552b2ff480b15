/** What every published package says of itself, so that a new one cannot forget it. */
import { expect, it } from '@jest/globals';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { publishedPackages, root } from '../pack/packages.mjs';

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const repository = 'https://github.com/meanflow/meanflow';
const licence = readFileSync(join(root, 'LICENSE'), 'utf8');

const packages = publishedPackages().map((one) => [one.manifest.name, one]);
const ours = new Map(packages);

it('finds packages that are published, and none that is private', () => {
  expect(packages.length).toBeGreaterThanOrEqual(15);
  expect([...ours.keys()]).toEqual(
    expect.arrayContaining(['meanflow', '@meanflow/core', '@meanflow/backend-plain']),
  );
  expect(ours.has('@meanflow/fuzz')).toBe(false);
});

it.each(packages)('%s says what it is, whose, and where it comes from', (name, { path, manifest }) => {
  const folder = basename(path);
  expect(name).toBe(folder === 'cli' ? 'meanflow' : `@meanflow/${folder}`);
  expect(manifest).toMatchObject({
    version,
    homepage: `${repository}/tree/main/${path}#readme`,
    bugs: `${repository}/issues`,
    repository: { type: 'git', url: `git+${repository}.git`, directory: path },
    license: 'MIT',
    author: 'The meanflow authors',
    type: 'module',
    engines: { node: '>=20.19' },
    publishConfig: { access: 'public', provenance: true },
  });
  expect(manifest.description).toMatch(/^[A-Z].{30,150}[^.]$/);
  expect(manifest.keywords).toEqual(expect.arrayContaining(['meanflow', 'flow-matching', 'typescript']));
  expect(new Set(manifest.keywords).size).toBe(manifest.keywords.length);
  expect(manifest.keywords.length).toBeGreaterThanOrEqual(6);
});

it.each(packages)(
  '%s has the licence beside it, and a README that says how to install it',
  (name, { folder }) => {
    expect(readFileSync(join(folder, 'LICENSE'), 'utf8')).toBe(licence);
    const readme = readFileSync(join(folder, 'README.md'), 'utf8');
    const [title] = readme.split('\n');
    expect(title).toBe(`# ${name}`);
    expect(readme).toMatch(new RegExp(`^(\\$ )?npm install (.* )?${name}( .*)?$`, 'm'));
    // An example, and a way to the rest.
    expect(readme.match(/^```/gm)?.length).toBeGreaterThanOrEqual(4);
    expect(readme).toMatch(/\]\((\.\.\/|https:)[^)]+\)/);
  },
);

it.each(packages)('%s has doors that can be required, types first', (_name, { folder, manifest }) => {
  const doors = Object.entries(manifest.exports);
  expect(doors).toContainEqual(['./package.json', './package.json']);
  for (const [door, target] of doors) {
    if (typeof target === 'string') continue;
    expect([door, ...Object.keys(target)]).toEqual([door, '@meanflow/source', 'types', 'default']);
    const source = target['@meanflow/source'];
    expect(existsSync(join(folder, source))).toBe(true);
    const built = source.replace(/^\.\/src\//, './dist/').replace(/\.ts$/, '');
    expect(target).toMatchObject({ types: `${built}.d.ts`, default: `${built}.js` });
  }
  expect(manifest.files).toEqual(expect.arrayContaining(['dist', 'src', '!**/*.tsbuildinfo']));
});

it.each(packages)(
  '%s names among its side effects what is imported for them alone',
  (_name, { folder, manifest }) => {
    const effects = manifest.sideEffects;
    const listed = effects === false ? [] : effects;
    for (const file of listed.filter((file) => !file.startsWith('./dist/'))) {
      expect([file, existsSync(join(folder, file))]).toEqual([file, true]);
    }
    for (const imported of importedForEffects(folder)) expect(listed).toContain(imported);
  },
);

/** Modules of a package that another of its modules imports without a name, as built and as source. */
function importedForEffects(folder) {
  const files = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const text = readFileSync(join(folder, 'src', file), 'utf8');
      return [...text.matchAll(/^import '(\.[^']+)\.js';/gm)].map(
        ([, name]) => new URL(name, `file:///${file}`).pathname,
      );
    })
    .flatMap((name) => [`./src${name}.ts`, `./dist${name}.js`]);
}

it.each(packages)(
  '%s depends on what is published, in the version it is published with',
  (_name, { manifest }) => {
    const dependencies = {
      ...manifest.dependencies,
      ...manifest.optionalDependencies,
      ...manifest.peerDependencies,
    };
    for (const [name, range] of Object.entries(dependencies).filter(([name]) =>
      /^(@meanflow\/|meanflow$)/.test(name),
    )) {
      expect([name, ours.has(name), range]).toEqual([name, true, `^${version}`]);
    }
  },
);
