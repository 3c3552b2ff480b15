import * as mf from '@meanflow/core';
import { bools, floats, ints, normal, onEveryDevice } from './support.js';

onEveryDevice(({ device, check, backend }) => {
  describe('gather', () => {
    test.each([
      ['float32', normal([5, 3])],
      ['int32', ints([1, 2, 3, 4, 5])],
      ['bool', bools([1, 0, 1, 1, 0])],
    ])('%s rows', async (_, table) => {
      await check((t, i) => mf.gather(t, i), [table, ints([4, 0, 0, 2])], 'exact');
      await check((t, i) => mf.gather(t, i), [table, ints([1, 2, 3, 4], [2, 2])], 'exact');
      await check((t, i) => mf.gather(t, i), [table, ints([3], [])], 'exact');
      await check((t, i) => mf.gather(t, i), [table, ints([], [0])], 'exact');
    });

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
    test('rows that are named never, once and often', async () => {
      const indices = ints([0, 2, 2, 5, 2, 0]);
      await check((u, i) => mf.scatterAdd(u, i, 6), [normal([6, 4]), indices], 'sum');
      await check((u, i) => mf.scatterAdd(u, i, 6), [normal([6]), indices], 'sum');
      await check((u, i) => mf.scatterAdd(u, i, 6), [normal([6, 2, 3]), indices], 'sum');
    });

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

    test('index arrays of other ranks, and no indices', async () => {
      await check((u, i) => mf.scatterAdd(u, i, 3), [normal([2, 2, 4]), ints([0, 1, 1, 1], [2, 2])], 'sum');
      await check((u, i) => mf.scatterAdd(u, i, 3), [normal([4]), ints([1], [])], 'sum');
      await check((u, i) => mf.scatterAdd(u, i, 3), [normal([0, 4]), ints([])], 'exact');
      await check((u, i) => mf.scatterAdd(u, i, 0), [normal([0, 4]), ints([])], 'exact');
    });

    test('a NaN stays in its row', async () => {
      const updates = normal([3, 2]).clone();
      updates.data[2] = NaN;
      await check((u, i) => mf.scatterAdd(u, i, 3), [updates, ints([0, 1, 2])], 'exact');
    });
  });

  test('oneHot', async () => {
    await check((i) => mf.oneHot(i, 4), [ints([0, 3, 1, 1], [2, 2])], 'exact');
  });
});
