import * as mf from '@meanflow/core';
import { floats, ints, normal, onEveryDevice } from './support.js';

onEveryDevice(({ device, backend }) => {
  describe('gather', () => {
    test('an index out of range is refused, but on WebGPU, which takes the nearest', async () => {
      const { graph } = mf.trace((x) => mf.gather(x.table, x.index), {
        table: mf.spec([3]),
        index: mf.spec([2], 'int32'),
      });
      const executable = await (await backend()).compile(graph);
      const table = normal([3]);
      const run = executable.run({ table, index: ints([3, -1]) });
      if (device === 'webgpu') {
        const [row] = Object.values(await run);
        expect((await row.read()).data).toEqual(Float32Array.of(table.data[2], table.data[0]));
      } else {
        await expect(run).rejects.toThrow(mf.BackendError);
      }
      await executable.dispose();
    });
  });

  describe('scatterAdd', () => {
    test('an index out of range is refused, but on WebGPU, which leaves it out', async () => {
      const { graph } = mf.trace((x) => mf.scatterAdd(x.updates, x.index, 3), {
        updates: mf.spec([2]),
        index: mf.spec([2], 'int32'),
      });
      const executable = await (await backend()).compile(graph);
      const before = (await backend()).memory().storages;
      for (const index of [3, -1, 1_000_000]) {
        const run = executable.run({ updates: floats([1, 2]), index: ints([2, index]) });
        if (device === 'webgpu') {
          const [table] = Object.values(await run);
          expect((await table.read()).data).toEqual(Float32Array.of(0, 0, 1));
          table.dispose();
        } else {
          await expect(run).rejects.toThrow(mf.BackendError);
        }
        expect((await backend()).memory().storages).toBe(before);
      }
      await executable.dispose();
    });
  });
});
