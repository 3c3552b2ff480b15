/** Movements of data one after the other, which generated kernels join into one index: reversals make it fall. */
import * as mf from '@meanflow/core';
import { floats, onEveryDevice } from './support.js';

const LENGTH = 24;
const FACTORS = [[24], [2, 12], [4, 6], [3, 8], [2, 3, 4], [3, 2, 2, 2], [4, 1, 6]];

/** Reshapes, transposes, reverses, crops and pads by numbers from a key; the result has as many elements again. */
function chain(start: mf.Tensor, key: mf.RandomKey): mf.Tensor {
  const choices = key.uniform([40]).data;
  let next = 0;
  const below = (n: number): number => Math.floor(choices[next++ % choices.length] * n);
  let x = start;
  for (let step = 0; step < 4; step++) {
    x = mf.reshape(x, FACTORS[below(FACTORS.length)]);
    const order = x.shape.map((_, axis) => axis).sort(() => below(3) - 1);
    x = mf.transpose(x, order);
    x = mf.reverse(
      x,
      x.shape.map((_, axis) => axis).filter(() => below(2) === 0),
    );
    const low = x.shape.map((n) => below(Math.min(n, 3)));
    const stride = x.shape.map(() => 1 + below(2));
    const cut = mf.slice(x, low, x.shape, stride);
    x = mf.pad(cut, { low, high: x.shape.map((n, axis) => n - low[axis] - cut.shape[axis]) });
  }
  return x;
}

onEveryDevice(({ check }) => {
  const numbers = floats(Array.from({ length: LENGTH }, (_, i) => i));

  test('a transposed matrix that is read backwards', async () => {
    const f = (x: mf.Tensor) => mf.add(mf.reverse(mf.reshape(mf.transpose(x), [8]), [0]), 1);
    await check(
      f,
      [
        mf.hostArray([
          [0, 1],
          [2, 3],
          [4, 5],
          [6, 7],
        ]),
      ],
      'exact',
    );
  });

  test('random chains, several in a graph', async () => {
    const key = mf.RandomKey.fromSeed(8);
    for (let graph = 0; graph < 6; graph++) {
      const chains = Array.from({ length: 20 }, (_, i) => key.fold(graph).fold(i));
      const f = (x: mf.Tensor) =>
        mf.concat(
          chains.map((of) => mf.add(mf.reshape(chain(x, of), [LENGTH]), 1)),
          0,
        );
      await check(f, [numbers], 'exact');
    }
  });
});
