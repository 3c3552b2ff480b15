import * as mf from '@meanflow/core';
import { floats, ints, normal, onEveryDevice } from './support.js';

onEveryDevice(({ backend, check }) => {
  test('gather fills rows that the table does not have', async () => {
    const indices = ints([3, -1, 0, 1_000_000, -(2 ** 31)]);
    await check((table, at) => mf.gather(table, at), [normal([3, 2]), indices], 'exact');
  });

  test('scatterAdd leaves updates out that have no row, and writes nowhere else', async () => {
    const before = (await backend()).memory().storages;
    for (const index of [3, -1, 1_000_000]) {
      const inputs = [floats([1, 2]), ints([2, index])];
      await check((updates, at) => mf.scatterAdd(updates, at, 3), inputs, 'exact');
    }
    expect((await backend()).memory().storages).toBe(before);
  });
});
