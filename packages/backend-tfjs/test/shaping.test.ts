import * as mf from '@meanflow/core';
import { bools, ints, normal, onEveryDevice } from './support.js';

onEveryDevice(({ check, runGraph }) => {
  const sized = (shape: mf.Shape) => normal(shape);
  /** The same elements as each dtype. */
  const everyDtype = (shape: mf.Shape): [string, mf.HostArray][] => {
    const x = Array.from(normal(shape).data);
    return [
      ['float32', normal(shape)],
      [
        'int32',
        ints(
          x.map((v) => Math.trunc(v * 100)),
          shape,
        ),
      ],
      [
        'bool',
        bools(
          x.map((v) => Number(v > 0)),
          shape,
        ),
      ],
    ];
  };

  describe.each(everyDtype([2, 3, 4]))('%s', (_, x) => {
    test('reshape', async () => {
      for (const shape of [[24], [4, 6], [1, 2, 3, 4, 1], [2, -1]])
        await check((t) => t.reshape(shape), [x], 'exact');
    });

    test('transpose', async () => {
      for (const order of [
        [0, 1, 2],
        [2, 1, 0],
        [1, 0, 2],
        [0, 2, 1],
        [2, 0, 1],
      ]) {
        await check((t) => mf.transpose(t, order), [x], 'exact');
      }
    });

    test('broadcastTo', async () => {
      await check((t) => mf.broadcastTo(t, [2, 3, 4]), [x], 'exact');
      await check((t) => mf.broadcastTo(t, [5, 2, 3, 4]), [x], 'exact');
      await check((t) => mf.broadcastTo(t.reshape([2, 1, 12]), [2, 3, 12]), [x], 'exact');
      await check((t) => mf.broadcastTo(t.reshape([24, 1]), [24, 0]), [x], 'exact');
    });

    test('slice', async () => {
      await check((t) => mf.slice(t, [0, 1, 0], [2, 3, 4]), [x], 'exact');
      await check((t) => mf.slice(t, [1, 0, 1], [2, 3, 4], [1, 2, 2]), [x], 'exact');
      await check((t) => mf.slice(t, [0, 2, 0], [2, 2, 4]), [x], 'exact');
    });

    test('pad', async () => {
      await check((t) => mf.pad(t, { low: [1, 0, 2], high: [0, 3, 0] }), [x], 'exact');
      await check((t) => mf.pad(t, { interior: [1, 0, 2] }), [x], 'exact');
      await check((t) => mf.pad(t, { low: [0, 1, 0], high: [1, 0, 2], interior: [0, 3, 1] }), [x], 'exact');
    });

    test('concat', async () => {
      await check((t) => mf.concat([t, t], 0), [x], 'exact');
      await check((t) => mf.concat([t, mf.slice(t, [0, 0, 1], [2, 3, 2]), t], 2), [x], 'exact');
      await check((t) => mf.concat([t, mf.slice(t, [0, 1, 0], [2, 1, 4])], 1), [x], 'exact');
    });

    test('reverse', async () => {
      for (const axes of [[0], [1], [0, 2], [0, 1, 2]]) await check((t) => mf.reverse(t, axes), [x], 'exact');
    });
  });

  test('scalars and arrays without elements', async () => {
    await check((t) => t.reshape([]), [sized([1, 1])], 'exact');
    await check((t) => mf.broadcastTo(t, [2, 2]), [sized([])], 'exact');
    await check((t) => t.reshape([0, 7]), [sized([3, 0])], 'exact');
    await check((t) => mf.transpose(t), [sized([3, 0])], 'exact');
    await check((t) => mf.pad(t, { low: [2], high: [1] }), [sized([0])], 'exact');
    await check((t) => mf.concat([t, mf.constant([[1, 2]])], 0), [sized([0, 2])], 'exact');
    await check((t) => mf.reverse(t, [0]), [sized([0, 2])], 'exact');
  });

  describe('sources', () => {
    test('iota', async () => {
      for (const axis of [0, 1, 2]) {
        for (const dtype of ['float32', 'int32'] as const) {
          await check((t) => mf.cast(t, dtype).add(mf.iota([2, 3, 4], axis, dtype)), [ints([0])], 'exact');
        }
      }
      await check((t) => t.add(mf.iota([5])), [ints([1])], 'exact');
    });

    test('constants of every dtype and size, alone and in use', async () => {
      const large = normal([100, 7]);
      await check(() => mf.constant(large), [], 'exact');
      await check(() => mf.constant(0.1), [], 'exact');
      await check(
        () =>
          mf.constant([
            [1, -0],
            [NaN, -Infinity],
          ]),
        [],
        'exact',
      );
      await check((t) => t.add(mf.constant([1, 2], 'int32')), [ints([3])], 'exact');
      await check((t) => mf.where(mf.constant([1, 0], 'bool'), t, 0), [sized([2])], 'exact');
      await check(() => mf.constant(mf.hostArray([1 / 3, 1e-50], { dtype: 'float64' })), [], 'exact');
      await check(() => mf.full([0, 2], 3), [], 'exact');
    });

    test('zero and minus zero stay apart', async () => {
      await check((x) => mf.concat([x.div(mf.constant(0)), x.div(mf.constant(-0))]), [sized([3])], 'exact');
    });

    test('an output that is an input, twice', async () => {
      const { graph } = mf.trace((x: mf.Tensor) => ({ a: x, b: x }), mf.spec([2]));
      const x = sized([2]);
      const { a, b } = await runGraph(graph, { input: x });
      expect([a.data, b.data]).toEqual([x.data, x.data]);
    });

    test('an input that nothing reads', async () => {
      await check((x) => x.add(1), [sized([2]), sized([3])], 'arithmetic');
    });
  });
});
