/**
 * Generated matrix products on WebGPU, in every style, against the reference: sizes around those of blocks, tiles and strips, stacks, operands that
 * are transposed, sliced or scaled on the way in, and results that go on through biases, activations and residuals.
 */
import * as mf from '@meanflow/core';
import type { FusionOptions, TfjsBackend } from '../src/index.js';
import { check, normal, noWebgpu, open } from './support.js';

const styles: FusionOptions['products'][] = ['tiles', 'registers'];

(noWebgpu === undefined ? describe : describe.skip).each(styles)('products in %s', (products) => {
  let backend: TfjsBackend;
  beforeAll(async () => {
    backend = await open('webgpu', { fusion: { products, directProduct: 0 } });
  });
  afterAll(() => backend.dispose());

  // Of the four ways in which two operands may lie, two with each size.
  test.each([
    [1, 1, 1], [2, 3, 1], [1, 5, 300], [9, 1, 2], [16, 17, 15], [17, 16, 33], [64, 64, 16], [65, 129, 50], [3, 200, 48], [130, 7, 64], [257, 66, 100],
  ])('%d × %d, of %d each', async (m, n, k) => {
    for (const left of [false, true]) {
      const right = left === (m % 2 === 0);
      const x = normal(left ? [k, m] : [m, k]);
      const y = normal(right ? [n, k] : [k, n], 'y');
      await check(backend, (a, b) => mf.matmul(left ? mf.transpose(a) : a, right ? mf.transpose(b) : b), [x, y], 'sum', 2 * Math.sqrt(k));
    }
  }); // prettier-ignore

  test('stacks', async () => {
    for (const [b, m, n, k] of [[3, 33, 20, 17], [70, 4, 9, 5]] as const) {
      await check(backend, (x, y) => mf.matmul(x, y), [normal([b, m, k]), normal([b, k, n], 'y')], 'sum', 8);
      await check(backend, (x, y) => mf.einsum('bhqd,bkhd->bhqk', x, y), [normal([b, 2, m, k]), normal([b, n, 2, k], 'y')], 'sum', 8);
    }
  }); // prettier-ignore

  test('operands where they lie', async () => {
    const heads = (x: mf.Tensor, part: number) =>
      mf.transpose(
        mf.slice(x, [0, 0, 24 * part], [3, 20, 24 * (part + 1)]).reshape([3, 20, 2, 12]),
        [0, 2, 1, 3],
      );
    const f = (x: mf.Tensor) => {
      const [q, k, v] = [heads(x, 0).mul(0.3), heads(x, 1), heads(x, 2)];
      const weights = mf.softmax(mf.matmul(q, mf.transpose(k, [0, 1, 3, 2])));
      return mf.transpose(mf.matmul(weights, v), [0, 2, 1, 3]).reshape([3, 20, 24]);
    };
    await check(backend, f, [normal([3, 20, 72])], 'sum', 4);
    await check(
      backend,
      (x) => mf.grad((t: mf.Tensor) => mf.sum(mf.square(f(t))))(x),
      [normal([3, 20, 72])],
      'sum',
      30,
    );
  });

  test('what is done to their results', async () => {
    const inputs = [normal([37, 50]), normal([50, 22], 'w'), normal([22], 'b'), normal([37, 22], 'r')];
    await check(backend, (x, w, b, r) => mf.gelu(mf.matmul(x, w).add(b)).add(r), inputs, 'sum', 8);
    await check(backend, (x, w, b, r) => mf.concat([mf.matmul(x, w).add(b), r], 1), inputs, 'sum', 8);
    await check(backend, (x, w, b, r) => mf.softmax(mf.matmul(x, w).mul(r).add(b)), inputs, 'sum', 8);
    await check(backend, (x, w, b, r) => mf.matmul(mf.transpose(mf.matmul(x, w).add(b)), mf.matmul(x, w).mul(r)), inputs, 'sum', 300);
  }); // prettier-ignore
});
