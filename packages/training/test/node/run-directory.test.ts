import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DataError } from '@meanflow/core';
import { readRunConfig, readRunMetrics, RunDirectory } from '../../src/node.js';
import { withFolder } from '../support/child.js';

const config = { method: 'meanflow', steps: 10, network: { width: 3 } };

describe('RunDirectory', () => {
  it('is made with its parents, and keeps the configuration as it was given', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'a', 'b');
      await using run = await RunDirectory.create(path, config);
      expect(run).toMatchObject({ path, config, isResumed: false });
      expect(await readRunConfig(path)).toEqual(config);
      expect(await readFile(join(path, 'config.json'), 'utf8')).toBe(`${JSON.stringify(config, null, 2)}\n`);
      expect(await readRunMetrics(path)).toEqual([]);
    }));

  it('is not made where a run is, nor opened where none is', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'run');
      await expect(RunDirectory.resume(path)).rejects.toThrow(
        `"${path}" holds no run: there is no config.json in it.`,
      );
      expect(await readdir(folder)).toEqual([]);
      await (await RunDirectory.create(path, config)).close();
      const again = RunDirectory.create(path, { other: 1 });
      await expect(again).rejects.toThrow(DataError);
      await expect(again).rejects.toThrow('holds a run already. Resume it, or choose another directory.');
      expect(await readRunConfig(path)).toEqual(config);
    }));

  it.each(['notes.txt', '.lock', 'x.tmp', 'config.json.77.tmp', 'checkpoints'])(
    'is not begun beside a %s of somebody else, and nothing changes there',
    (name) =>
      withFolder(async (folder) => {
        const file = name === 'checkpoints' ? join(name, 'theirs') : name;
        await mkdir(dirname(join(folder, file)), { recursive: true });
        await writeFile(join(folder, file), 'mine');
        const begun = RunDirectory.create(folder, config);
        await expect(begun).rejects.toThrow(DataError);
        await expect(begun).rejects.toThrow(
          `The directory "${folder}" is not empty and holds no run: there is "${name}" in it`,
        );
        expect(await readdir(folder)).toEqual([name]);
        expect(await readFile(join(folder, file), 'utf8')).toBe('mine');
      }),
  );

  it('is begun where a beginning was interrupted', () =>
    withFolder(async (folder) => {
      await mkdir(join(folder, 'checkpoints'));
      for (const name of ['.meanflow-lock', 'config.json.meanflow-0123456789abcdef.tmp', '.DS_Store']) {
        await writeFile(join(folder, name), '');
      }
      await (await RunDirectory.create(folder, config)).close();
      expect((await readdir(folder)).sort()).toEqual(['.DS_Store', 'checkpoints', 'config.json']);
    }));

  it('keeps out of where links lead', () =>
    withFolder(async (folder) => {
      const run = join(folder, 'run');
      const other = join(folder, 'other');
      await (await RunDirectory.create(run, config)).close();
      await mkdir(other);
      await writeFile(join(other, 'precious'), 'mine\n');
      await symlink(join(other, 'precious'), join(run, 'metrics.jsonl'));
      await expect(RunDirectory.resume(run)).rejects.toThrow(
        `metrics.jsonl" is a link to "${join(other, 'precious')}", out of the folder "${run}"`,
      );
      await rm(join(run, 'metrics.jsonl'));
      await rm(join(run, 'checkpoints'), { recursive: true });
      await symlink(other, join(run, 'checkpoints'));
      await expect(RunDirectory.resume(run)).rejects.toThrow('is a link to');
      expect(await readFile(join(other, 'precious'), 'utf8')).toBe('mine\n');
      // The folder itself may be reached by a link.
      await rm(join(run, 'checkpoints'));
      await symlink(run, join(folder, 'latest'));
      await (await RunDirectory.resume(join(folder, 'latest'))).close();
    }));

  (process.platform === 'linux' ? it : it.skip)('ends where nothing can be made', async () => {
    for (const path of ['/proc/x', '/proc/x/y']) {
      const made = RunDirectory.create(path, config);
      await expect(made).rejects.toThrow(DataError);
      await expect(made).rejects.toThrow('the file system of "/proc" lets nothing be made there');
    }
  });

  it('is open once', () =>
    withFolder(async (folder) => {
      const run = await RunDirectory.create(folder, config);
      await expect(RunDirectory.resume(folder)).rejects.toThrow(
        `The run directory "${folder}" is in use by process`,
      );
      await expect(RunDirectory.create(folder, config)).rejects.toThrow('holds a run already');
      await run.close();
      const resumed = await RunDirectory.resume(folder);
      expect(resumed).toMatchObject({ config, isResumed: true });
      await resumed.close();
    }));

  it('takes a new configuration only when the run goes on, and clears away what a killed trainer left', () =>
    withFolder(async (folder) => {
      await (await RunDirectory.create(folder, config)).close();
      const half = 'safetensors.meanflow-0123456789abcdef.tmp';
      await writeFile(join(folder, `final.${half}`), 'half');
      await writeFile(join(folder, 'checkpoints', `step-00000001.${half}`), 'half');
      await writeFile(join(folder, 'theirs.tmp'), 'whole');
      const longer = { ...config, steps: 20 };
      const resumed = await RunDirectory.resume(folder, longer);
      expect(resumed.config).toEqual(longer);
      expect(await readRunConfig(folder)).toEqual(config);
      await resumed.saveConfig();
      await resumed.close();
      expect(await readRunConfig(folder)).toEqual(longer);
      expect((await readdir(folder)).sort()).toEqual(['checkpoints', 'config.json', 'theirs.tmp']);
      expect(await readdir(join(folder, 'checkpoints'))).toEqual([]);
    }));

  it('says at once that it cannot be written', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'file'), '');
      for (const path of [join(folder, 'file'), join(folder, 'file', 'run')]) {
        const made = RunDirectory.create(path, config);
        await expect(made).rejects.toThrow(DataError);
        await expect(made).rejects.toThrow(`The run directory "${path}" cannot be written: `);
      }
    }));

  it('says that its configuration is damaged', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'config.json'), '{"a":');
      await expect(readRunConfig(folder)).rejects.toThrow('config.json" is not JSON: ');
      await writeFile(join(folder, 'config.json'), '[1]');
      await expect(RunDirectory.resume(folder)).rejects.toThrow('config.json" does not hold a JSON object.');
      await mkdir(join(folder, 'x', 'config.json'), { recursive: true });
      await expect(readRunConfig(join(folder, 'x'))).rejects.toThrow(
        'it is a directory, not a file (EISDIR)',
      );
    }));
});
