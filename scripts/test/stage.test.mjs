/** What packing changes of a package. */
import { expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { publishedManifest, stage, withWholeLinks } from '../pack/stage.mjs';

const manifest = {
  name: '@meanflow/example',
  exports: {
    '.': { '@meanflow/source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' },
    './package.json': './package.json',
  },
  nx: { tags: [] },
  scripts: { w1: 'node w1.js' },
  dependencies: { zod: '^4.0.0' },
  devDependencies: { jest: '*' },
};

it('leaves out what only the workspace reads', () => {
  expect(publishedManifest(manifest)).toEqual({
    name: '@meanflow/example',
    exports: {
      '.': { types: './dist/index.d.ts', default: './dist/index.js' },
      './package.json': './package.json',
    },
    dependencies: { zod: '^4.0.0' },
  });
});

it('puts optional dependencies beside those there are', () => {
  const own = { ...manifest, optionalDependencies: { sharp: '1.0.0' } };
  expect(publishedManifest(manifest, { extra: '2.0.0' }).optionalDependencies).toEqual({ extra: '2.0.0' });
  expect(publishedManifest(own, { extra: '2.0.0' }).optionalDependencies).toEqual({
    sharp: '1.0.0',
    extra: '2.0.0',
  });
  expect(publishedManifest(own).optionalDependencies).toEqual({ sharp: '1.0.0' });
});

it('makes links to files links to the repository, and leaves others', () => {
  const page = 'https://example.org/main/packages/core';
  const text =
    '[a](../../docs/a.md#part), [b](https://b.org/x), [c](#here), [d](test/data), [e](mailto:e@e.org)';
  expect(withWholeLinks(text, page)).toBe(
    '[a](https://example.org/main/docs/a.md#part), [b](https://b.org/x), [c](#here), ' +
      '[d](https://example.org/main/packages/core/test/data), [e](mailto:e@e.org)',
  );
});

it('stages files that belong, without what an earlier build left behind', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meanflow-stage-'));
  const files = {
    'package.json': JSON.stringify({ ...manifest, repository: { url: 'git+https://example.org/x.git' } }),
    'README.md': 'See [the licence](LICENSE).',
    'src/index.ts': 'export const here = 1;',
    'dist/index.js': 'export const here = 1;',
    'dist/index.d.ts.map': '{}',
    'dist/gone.js': 'export const gone = 1;',
    'dist/gone.d.ts': 'export declare const gone = 1;',
    'assets/dist/table.js': '1',
  };
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const to = join(folder, 'staged');
    const from = { folder, path: 'packages/example', manifest: JSON.parse(files['package.json']) };
    stage(from, Object.keys(files), to, { extra: '1.0.0' });
    const staged = readdirSync(to, { recursive: true, encoding: 'utf8' });
    expect(staged.filter((name) => name in files).sort()).toEqual(
      Object.keys(files)
        .filter((name) => !name.includes('gone'))
        .sort(),
    );
    expect(JSON.parse(readFileSync(join(to, 'package.json'), 'utf8')).optionalDependencies).toEqual({
      extra: '1.0.0',
    });
    expect(readFileSync(join(to, 'README.md'), 'utf8')).toBe(
      'See [the licence](https://example.org/x/blob/main/packages/example/LICENSE).',
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
