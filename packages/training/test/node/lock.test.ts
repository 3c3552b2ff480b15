import { chmod, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { DataError } from '@meanflow/core';
import { acquireLock } from '../../src/node/lock.js';
import { ended, startChild, withFolder } from '../support/child.js';

/** A process that holds a lock until it is killed, once it does. */
async function holder(path: string) {
  const child = startChild('lock-worker.ts', [path]);
  for await (const line of createInterface(child.stdout!)) if (line === 'held') break;
  return child;
}

describe('a lock', () => {
  it('is held by one at a time, says who that is, and leaves nothing behind', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'lock');
      const lock = await acquireLock(path, 'The folder');
      const said = { pid: process.pid, thread: 0, host: hostname() };
      expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject(said);
      const second = acquireLock(path, 'The folder');
      await expect(second).rejects.toThrow(DataError);
      await expect(second).rejects.toThrow(
        `The folder is in use by process ${process.pid} on ${hostname()}. Wait for it, or stop it.`,
      );
      await lock.release();
      await lock.release();
      expect(await readdir(folder)).toEqual([]);
      await (await acquireLock(path, 'The folder')).release();
    }));

  it('goes to one of many who ask at once, also when a dead process left its text', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'lock');
      await writeFile(path, JSON.stringify({ pid: 1, host: 'elsewhere' }));
      const asked = await Promise.allSettled(
        Array.from({ length: 8 }, () => acquireLock(path, 'The folder')),
      );
      expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await readdir(folder)).toEqual(['lock']);
    }));

  it('passes from one to the next without ever being held twice', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'lock');
      let holders = 0;
      let taken = 0;
      const contend = async (): Promise<void> => {
        for (let round = 0; round < 40;) {
          const lock = await acquireLock(path, 'It').catch(() => undefined);
          if (lock === undefined) continue;
          holders++;
          expect(holders).toBe(1);
          await new Promise((resolve) => setImmediate(resolve));
          holders--;
          await lock.release();
          round++;
          taken++;
        }
      };
      await Promise.all([contend(), contend(), contend()]);
      expect(taken).toBe(120);
      expect(await readdir(folder)).toEqual([]);
    }));

  it('of another process holds while it lives, and is gone with it', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'lock');
      const child = await holder(path);
      await expect(acquireLock(path, 'It')).rejects.toThrow(`in use by process ${child.pid} on`);
      child.kill('SIGKILL');
      await ended(child);
      expect(await readdir(folder)).toEqual(['lock']);
      await (await acquireLock(path, 'It')).release();
      expect(await readdir(folder)).toEqual([]);
    }));

  it('holds between threads of one process', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'lock');
      const worker = new Worker(new URL('../support/lock-thread.mjs', import.meta.url), {
        workerData: { path },
      });
      await new Promise((resolve) => worker.once('message', resolve));
      await expect(acquireLock(path, 'It')).rejects.toThrow('It is in use by another process.');
      await worker.terminate();
      await (await acquireLock(path, 'It')).release();
    }));

  it.each<[string, string]>([
    ['of a recycled number, which lives', JSON.stringify({ pid: process.ppid, host: hostname() })],
    ['of this machine under another name', JSON.stringify({ pid: process.pid, host: 'before-restart' })],
    ['that is empty', ''],
    ['that is no JSON', '{"pid":'],
    ['that names nobody', '{}'],
  ])('whose text is one %s, but which nobody holds, is taken', (_, content) =>
    withFolder(async (folder) => {
      const path = join(folder, 'lock');
      await writeFile(path, content);
      const lock = await acquireLock(path, 'It');
      await lock.release();
      expect(await readdir(folder)).toEqual([]);
    }),
  );

  it('is not taken through a link', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'precious'), 'mine');
      await symlink(join(folder, 'precious'), join(folder, 'lock'));
      await expect(acquireLock(join(folder, 'lock'), 'It')).rejects.toThrow('ELOOP');
      expect(await readFile(join(folder, 'precious'), 'utf8')).toBe('mine');
    }));

  it('that the file system or the platform does not have is an error that says how to go on', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'lock');
      const refuse = () => {
        throw Object.assign(new Error('no locks'), { code: 'ENOLCK' });
      };
      const without = acquireLock(path, 'It', () => ({ tryLock: refuse }));
      await expect(without).rejects.toThrow(DataError);
      await expect(without).rejects.toThrow('It cannot be locked: its file system has no locks (ENOLCK)');
      const unloadable = acquireLock(path, 'It', () => {
        throw new Error('Cannot find addon');
      });
      await expect(unloadable).rejects.toThrow(DataError);
      await expect(unloadable).rejects.toThrow(
        /fs-native-extensions does not load on .* \(Cannot find addon\)[^]*MEANFLOW_NO_LOCK=1/,
      );
      process.env.MEANFLOW_NO_LOCK = '1';
      try {
        await (await acquireLock(path, 'It', refuse)).release();
      } finally {
        delete process.env.MEANFLOW_NO_LOCK;
      }
    }));

  // Root may write everywhere.
  (process.getuid?.() === 0 ? it.skip : it)('cannot be taken where nothing can be written', () =>
    withFolder(async (folder) => {
      await chmod(folder, 0o500);
      await expect(acquireLock(join(folder, 'lock'), 'It')).rejects.toThrow('EACCES');
      await chmod(folder, 0o700);
    }),
  );
});
