import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '@meanflow/core';
import { removeTemporaryFiles } from '../../src/node/atomic-file.js';
import { writeFileAtomically } from '../../src/node.js';
import { ended, startChild, withFolder } from '../support/child.js';

describe('writeFileAtomically', () => {
  it('writes and replaces', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'file');
      await writeFileAtomically(path, ['one ', Uint8Array.of(0x74, 0x77, 0x6f)]);
      expect(await readFile(path, 'utf8')).toBe('one two');
      await writeFileAtomically(path, ['three']);
      expect(await readFile(path, 'utf8')).toBe('three');
      expect(await readdir(folder)).toEqual(['file']);
    }));

  it('writes content that comes over time', () =>
    withFolder(async (folder) => {
      const content = (async function* () {
        for (const part of ['one ', 'two']) yield await Promise.resolve(part);
      })();
      await writeFileAtomically(join(folder, 'file'), content);
      expect(await readFile(join(folder, 'file'), 'utf8')).toBe('one two');
    }));

  it('leaves the file as it was when its content fails half way', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'file');
      await writeFile(path, 'old');
      const content = (function* () {
        yield 'new';
        throw new Error('no more');
      })();
      await expect(writeFileAtomically(path, content)).rejects.toThrow('no more');
      expect(await readFile(path, 'utf8')).toBe('old');
      expect(await readdir(folder)).toEqual(['file']);
    }));

  it.each([
    ['at once', 0],
    ['after megabytes, just before the rename', 1_000_000],
  ])('leaves the file as it was when the process is killed %s', (_, before) =>
    withFolder(async (folder) => {
      const path = join(folder, 'file');
      await writeFile(path, 'old');
      expect(await ended(startChild('atomic-worker.ts', [path, String(before)]))).toBe('SIGKILL');
      expect(await readFile(path, 'utf8')).toBe('old');
      expect(await readdir(folder)).toHaveLength(2);
      await removeTemporaryFiles(folder);
      expect(await readdir(folder)).toEqual(['file']);
    }),
  );

  it('puts nothing in the place of what is no file, and writes through no link of its own making', () =>
    withFolder(async (folder) => {
      await expect(writeFileAtomically('/dev/null', ['x'])).rejects.toThrow('it is no regular file');
      await expect(writeFileAtomically(folder, ['x'])).rejects.toThrow('it is a directory, not a file');
      await writeFile(join(folder, 'theirs.tmp'), 'mine');
      await removeTemporaryFiles(folder);
      expect(await readdir(folder)).toEqual(['theirs.tmp']);
    }));

  it('says what is wrong with a place that cannot be written', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'file'), '');
      const inFile = writeFileAtomically(join(folder, 'file', 'x'), ['']);
      await expect(inFile).rejects.toThrow(DataError);
      await expect(inFile).rejects.toThrow(
        'cannot be written: part of the path is a file, not a directory (ENOTDIR)',
      );
      const nowhere = writeFileAtomically(join(folder, 'none', 'x'), ['']);
      await expect(nowhere).rejects.toThrow('there is no such file or directory (ENOENT)');
    }));
});
