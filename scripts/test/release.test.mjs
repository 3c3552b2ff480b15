/**
 * A release, made in a copy of the workspace's manifests that is a repository of its own, without tags, remote or network: first as
 * `--dry-run`, which must change nothing, then really, but for publishing.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manifestOf, publishedPackages, root } from '../pack/packages.mjs';

const copy = mkdtempSync(join(tmpdir(), 'meanflow-release-'));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

const { version, workspaces } = manifestOf(root);
const projects = workspaces.flatMap((pattern) => {
  if (!pattern.endsWith('/*')) return [pattern];
  const folder = pattern.slice(0, -2);
  return readdirSync(join(root, folder)).map((name) => `${folder}/${name}`);
});

/** Nx would take settings of the task that runs this test for its own; npm must not ask the registry, nor git who somebody is. */
const env = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NX_'))),
  NX_DAEMON: 'false',
  npm_config_offline: 'true',
  GIT_CONFIG_GLOBAL: '/dev/null',
  ...Object.fromEntries(
    ['AUTHOR', 'COMMITTER'].flatMap((who) => [
      [`GIT_${who}_NAME`, 'Somebody'],
      [`GIT_${who}_EMAIL`, 'somebody@example.org'],
    ]),
  ),
};
const run = (command, ...args) =>
  execFileSync(command, args, { cwd: copy, env, encoding: 'utf8', stdio: 'pipe' });
const git = (...args) => run('git', ...args).trim();
const release = (...args) =>
  run(process.execPath, join(root, 'node_modules/nx/dist/bin/nx.js'), 'release', '--skip-publish', ...args);
const read = (path) => readFileSync(join(copy, path), 'utf8');
const plan = '.nx/version-plans/plug-ins.md';

beforeAll(() => {
  const files = ['nx.json', 'package.json', 'package-lock.json', 'CHANGELOG.md', '.gitignore', '.npmrc'];
  for (const path of [...files, ...projects.map((project) => `${project}/package.json`)]) {
    cpSync(join(root, path), join(copy, path));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'dir');
  mkdirSync(join(copy, '.nx/version-plans'), { recursive: true });
  // The kind of change is that of the whole group; in 0.x a change that breaks something is a new minor version.
  writeFileSync(join(copy, plan), '---\n__default__: major\n---\n\nThe command takes plug-ins.\n');
  git('init', '--quiet', '--initial-branch=main');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'all of it');
});

it('changes nothing when it is tried', () => {
  const head = git('rev-parse', 'HEAD');
  const printed = release('--dry-run');
  expect(printed).toContain('The command takes plug-ins.');
  expect(git('status', '--porcelain')).toBe('');
  expect([git('rev-parse', 'HEAD'), git('tag')]).toEqual([head, '']);
});

it('gives all packages one new version, in one commit with the changelog and a tag', () => {
  release();
  const [major, minor] = version.split('.').map(Number);
  const next = major === 0 ? `0.${minor + 1}.0` : `${major + 1}.0.0`;

  expect(git('tag')).toBe(`v${next}`);
  expect(git('log', '--format=%s')).toBe(`release ${next}\nall of it`);
  expect(git('status', '--porcelain')).toBe('');
  expect(git('ls-files', '.nx')).toBe('');

  const changelog = read('CHANGELOG.md');
  expect(changelog).toMatch(new RegExp(`^## ${next} \\(\\d{4}-\\d\\d-\\d\\d\\)\n`));
  expect(changelog).toContain('- The command takes plug-ins.');
  expect(changelog).not.toContain('Somebody');
  expect(changelog.endsWith(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'))).toBe(true);

  const ours = publishedPackages().map(({ manifest }) => manifest.name);
  for (const path of ['.', ...projects]) {
    const manifest = manifestOf(join(copy, path));
    expect([path, manifest.version]).toEqual([path, next]);
    const dependencies = { ...manifest.dependencies, ...manifest.devDependencies };
    for (const name of ours.filter((name) => name in dependencies)) {
      expect([path, name, dependencies[name]]).toEqual([path, name, `^${next}`]);
    }
  }
  const lock = JSON.parse(read('package-lock.json'));
  expect(lock.packages['packages/cli']).toMatchObject({ name: 'meanflow', version: next });
});
