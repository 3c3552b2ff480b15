/** More axes than tfjs's kernels take, and than the conformance kit tries. */
import * as mf from '@meanflow/core';
import { bools, normal, onEveryDevice } from './support.js';

const SHAPES: mf.Shape[] = [
  [2, 1, 2, 3, 2, 2],
  [2, 1, 2, 1, 2, 3, 2],
];

onEveryDevice(({ check }) => {
  test.each(SHAPES.map((shape) => [shape]))('%j', async (shape) => {
    const x = normal(shape);
    const axes = shape.map((_, axis) => axis);
    const odd = axes.filter((axis) => axis % 2 === 1);
    // Every second axis is repeated.
    const row = normal(
      shape.map((n, axis) => (axis % 2 === 0 ? 1 : n)),
      'row',
    );
    const condition = bools(
      Array.from(row.data, (v) => Number(v > 0)),
      row.shape,
    );
    await check((a, b) => mf.tanh(a.mul(b)).add(a), [x, row], 'function');
    await check((c, a, b) => mf.where(c, a, b), [condition, x, row], 'exact');
    await check((a, b) => mf.less(a, b), [x, row], 'exact');
    await check((a) => mf.sum(a, odd), [x], 'sum', 8);
    await check((a) => mf.max(a, odd, { keepDims: true }), [x], 'exact');
    await check((a) => mf.transpose(a), [x], 'exact');
    await check((a) => mf.broadcastTo(a, [2, ...shape]), [row], 'exact');
    const ones = shape.map(() => 1);
    await check((a) => mf.pad(a, { low: ones, interior: ones }), [x], 'exact');
    await check(
      (a) =>
        mf.slice(
          a,
          shape.map((n) => n - 1),
          shape,
        ),
      [x],
      'exact',
    );
    await check((a) => mf.reverse(a, axes), [x], 'exact');
    await check((a, b) => mf.concat([a, b, a], shape.length - 1), [x, normal(shape, 'y')], 'exact');
    await check((a) => mf.argMax(a, 0), [x], 'exact');
  });
});
