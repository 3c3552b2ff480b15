/**
 * The tarballs as others get them: what publint and arethetypeswrong say of each, whether source maps lead somewhere, and whether
 * they hold what was built of the present sources and nothing else.
 */
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { afterAll, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import ts from 'typescript';
import { publishedPackages, root } from '../pack/packages.mjs';

const out = mkdtempSync(join(tmpdir(), 'meanflow-packed-'));
afterAll(() => rmSync(out, { recursive: true, force: true }));

execFileSync(process.execPath, [join(root, 'scripts/pack.mjs'), '--ours', '--out', out], { stdio: 'ignore' });

const packages = publishedPackages().map((one) => [one.manifest.name, one]);
const tarball = ({ manifest: { name, version } }) =>
  new Uint8Array(readFileSync(join(out, `${name.replace(/^@(.+)\//, '$1-')}-${version}.tgz`)));
const stagedFolder = ({ path }) => join(out, 'staging', path);

it.each(packages)('publint finds nothing in %s', async (_name, one) => {
  const { messages, pkg } = await publint({ pack: { tarball: tarball(one).buffer }, strict: true });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});

it.each(packages)('%s has the types it says under every resolution of modules', async (_name, one) => {
  const { problems, types } = await checkPackage(createPackageFromTarballData(tarball(one)));
  expect(types).toEqual({ kind: 'included' });
  expect(problems.filter((problem) => !isMeant(problem))).toEqual([]);
});

/** ES modules only, which `require` takes in every Node that is supported; TypeScript's oldest resolution knows no exports. */
const isMeant = ({ kind, resolutionKind }) =>
  kind === 'CJSResolvesToESM' || (kind === 'NoResolution' && resolutionKind === 'node10');

it.each(packages)('%s holds what was built of its sources, the licence and a README', (_name, one) => {
  const files = readdirSync(stagedFolder(one), { recursive: true, encoding: 'utf8' });
  expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'dist', 'src']));
  expect(files.filter((file) => /tsbuildinfo|\.test\.|jest|tsconfig/.test(file))).toEqual([]);
  // Whatever it holds of the present sources it holds built.
  const sources = files.filter((file) => /^src\/.*\.ts$/.test(file));
  expect(sources.length).toBeGreaterThan(0);
  for (const source of sources) {
    expect(files).toContain(source.replace(/^src\//, 'dist/').replace(/\.ts$/, '.js'));
  }
});

it.each(packages)('%s has maps that lead to sources beside them', (_name, one) => {
  const folder = stagedFolder(one);
  const maps = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.map'),
  );
  expect(maps.length).toBeGreaterThan(0);
  const lost = maps.flatMap((map) => {
    const { sources } = JSON.parse(readFileSync(join(folder, map), 'utf8'));
    return sources.filter((source) => !existsSync(join(folder, dirname(map), source)));
  });
  expect(lost).toEqual([]);
});

it.each(packages)('%s imports only what it depends on', (_name, one) => {
  const { dependencies, optionalDependencies, peerDependencies, name } = one.manifest;
  const named = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
  const folder = join(stagedFolder(one), 'dist');
  const imported = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(js|d\.ts)$/.test(file))
    .flatMap((file) => importedPackages(readFileSync(join(folder, file), 'utf8')));
  const builtIn = (module) => module.startsWith('node:');
  expect(
    [...new Set(imported)].filter((module) => !builtIn(module) && module !== name && !named.includes(module)),
  ).toEqual([]);
});

it('every door can be imported and required, and gives the same either way', () => {
  // Beside our own as they are published, what is installed here.
  const installed = join(out, 'node_modules');
  mkdirSync(join(installed, '@meanflow'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules')).filter(isForeign)) {
    symlinkSync(join(root, 'node_modules', name), join(installed, name), 'dir');
  }
  for (const [name, one] of packages) symlinkSync(stagedFolder(one), join(installed, name), 'dir');
  const doors = packages.flatMap(([name, { manifest }]) =>
    Object.keys(manifest.exports)
      .filter((door) => !door.includes('*') && !door.endsWith('.json'))
      .map((door) => name + door.slice(1)),
  );
  expect(doors.length).toBeGreaterThan(packages.length);
  const program = join(out, 'doors.cjs');
  writeFileSync(
    program,
    `(async () => {
      for (const door of ${JSON.stringify(doors)}) {
        const required = require(door);
        const imported = Object.entries(await import(door));
        console.log(door, imported.length > 0 && imported.every(([name, value]) => required[name] === value));
      }
    })();`,
  );
  const env = { PATH: process.env.PATH, ORT_DISABLE_TELEMETRY: '1' };
  const printed = execFileSync(process.execPath, [program], {
    cwd: out,
    env,
    encoding: 'utf8',
    stdio: 'pipe',
  });
  expect(printed.trim().split('\n')).toEqual(doors.map((door) => `${door} true`));
});

const isForeign = (name) => !['.bin', '.cache', '.package-lock.json', '@meanflow', 'meanflow'].includes(name);

/** The packages that a built module imports. */
const importedPackages = (text) =>
  ts
    .preProcessFile(text)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((fileName) => !fileName.startsWith('.'))
    .map((fileName) =>
      fileName
        .split('/')
        .slice(0, fileName.startsWith('@') ? 2 : 1)
        .join('/'),
    );
