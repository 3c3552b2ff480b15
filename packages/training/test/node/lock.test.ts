import { readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DataError } from '@meanflow/core';
import { acquireLock } from '../../src/node/lock.js';
import { ended, startChild, withFolder } from '../support/child.js';

const owner = (pid: number | undefined, host = hostname()): string => JSON.stringify({ pid, host });

describe('a lock', () => {
  it('is held by one at a time, and leaves nothing behind', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'lock');
      const lock = await acquireLock(path, 'The folder');
      expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ pid: process.pid, host: hostname() });
      const second = acquireLock(path, 'The folder');
      await expect(second).rejects.toThrow(DataError);
      await expect(second).rejects.toThrow(
        `The folder is in use by process ${process.pid} on ${hostname()}.`,
      );
      await lock.release();
      await lock.release();
      expect(await readdir(folder)).toEqual([]);
      await (await acquireLock(path, 'The folder')).release();
    }));

  it('goes to one of many who ask at once, also when a dead process left one', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'lock');
      const dead = startChild('nothing.mjs', []);
      await ended(dead);
      await writeFile(path, owner(dead.pid));
      const asked = await Promise.allSettled(
        Array.from({ length: 8 }, () => acquireLock(path, 'The folder')),
      );
      expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await readdir(folder)).toEqual(['lock']);
    }));

  it('of a process that lives is respected', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'lock');
      await writeFile(path, owner(process.ppid));
      await expect(acquireLock(path, 'It')).rejects.toThrow(`in use by process ${process.ppid}`);
      expect(await readFile(path, 'utf8')).toBe(owner(process.ppid));
    }));

  it('of another machine is respected, and the error says what to delete', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'lock');
      await writeFile(path, owner(1, 'elsewhere'));
      await expect(acquireLock(path, 'It')).rejects.toThrow(
        `on elsewhere. Wait for it or stop it; if no such process trains there, delete "${path}".`,
      );
    }));

  it.each<[string, string]>([
    ['of a process of our own number before us', owner(process.pid)],
    ['that is empty', ''],
    ['that is no JSON', '{"pid":'],
    ['that names nobody', '{}'],
  ])('%s is taken over', (_, content) =>
    withFolder(async (folder) => {
      const path = join(folder, 'lock');
      await writeFile(path, content);
      const lock = await acquireLock(path, 'It');
      await lock.release();
      expect(await readdir(folder)).toEqual([]);
    }),
  );
});
