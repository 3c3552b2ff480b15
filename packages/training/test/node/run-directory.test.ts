import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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

  it('is made in a directory with other files', () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'notes.txt'), 'mine');
      await (await RunDirectory.create(folder, config)).close();
      expect((await readdir(folder)).sort()).toEqual(['checkpoints', 'config.json', 'notes.txt']);
    }));

  it('is open once', () =>
    withFolder(async (folder) => {
      const run = await RunDirectory.create(folder, config);
      await expect(RunDirectory.resume(folder)).rejects.toThrow(
        `The run directory "${folder}" is in use by process`,
      );
      await expect(RunDirectory.create(folder, config)).rejects.toThrow('is in use by process');
      await run.close();
      const resumed = await RunDirectory.resume(folder);
      expect(resumed).toMatchObject({ config, isResumed: true });
      await resumed.close();
    }));

  it('takes a new configuration only when the run goes on, and clears away what a killed trainer left', () =>
    withFolder(async (folder) => {
      await (await RunDirectory.create(folder, config)).close();
      await writeFile(join(folder, 'final.safetensors.77.tmp'), 'half');
      await writeFile(join(folder, 'checkpoints', 'step-00000001.safetensors.77.tmp'), 'half');
      const longer = { ...config, steps: 20 };
      const resumed = await RunDirectory.resume(folder, longer);
      expect(resumed.config).toEqual(longer);
      expect(await readRunConfig(folder)).toEqual(config);
      await resumed.saveConfig();
      await resumed.close();
      expect(await readRunConfig(folder)).toEqual(longer);
      expect((await readdir(folder)).sort()).toEqual(['checkpoints', 'config.json']);
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
