import * as mf from '@meanflow/core';
import { check, floats, ints, normal } from './support.js';

test('an index that names no row gives NaN, and neither the last row nor the nearest', async () => {
  const indices = ints([3, -1, 0, 2 ** 31 - 1, -(2 ** 31)]);
  await check((table, at) => mf.gather(table, at), [normal([3, 2]), indices], 'exact');
});

test('an update whose index names no row is left out, in tables of either form', async () => {
  const updates = floats([1, NaN, 2, 3]);
  for (const rows of [3, 1000])
    await check((u, at) => mf.scatterAdd(u, at, rows), [updates, ints([2, -1, rows, 0])], 'exact');
});
