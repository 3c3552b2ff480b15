/** The ways of writing a kernel that the adapter of the tests is not given by default: they make no difference. */
import * as mf from '@meanflow/core';
import type { FusionOptions, TfjsBackend } from '../src/index.js';
import { check, floats, ints, normal, noWebgpu, open } from './support.js';

const variants: [string, Partial<FusionOptions>][] = [
  ['every op by itself', { fuse: false }],
  ['threads that share rows', { threadsPerRow: 256 }],
  ['a few threads that share rows', { threadsPerRow: 8 }],
  ['products by tfjs', { directProduct: 0, products: 'tfjs' }],
  ['products in tiles', { directProduct: 0, products: 'tiles' }],
  ['few buffers', { maxBuffers: 4 }],
];

(noWebgpu === undefined ? describe : describe.skip).each(variants)('%s', (_, fusion) => {
  let backend: TfjsBackend;
  beforeAll(async () => {
    backend = await open('webgpu', { fusion });
  });
  afterAll(() => backend.dispose());

  test.each([
    [[3, 5], 1],
    [[3, 5], 0],
    [[2, 300], 1],
    [[300, 2], 0],
    [[5, 7, 33], 1],
    [[1, 1000], 1],
    [[70, 3], 1],
  ])('reductions of %j over axis %d', async (shape, axis) => {
    await check(backend, (x) => mf.sum(x, axis), [normal(shape)], 'sum', 30);
    await check(backend, (x) => mf.max(mf.abs(x), axis), [normal(shape)], 'exact');
    await check(backend, (x) => mf.argMax(x, axis), [normal(shape)], 'exact');
    await check(
      backend,
      (x) => mf.sqrt(mf.mean(mf.square(x), axis, { keepDims: true })).mul(x),
      [normal(shape)],
      'sum',
      4,
    );
  });

  test('rows and what is made of them', async () => {
    for (const shape of [[3, 5], [2, 3, 100], [9, 257]]) {
      await check(backend, (x) => mf.softmax(x), [normal(shape)], 'sum');
      await check(backend, (x) => mf.layerNorm(mf.silu(x)).mul(2), [normal(shape)], 'sum');
      await check(backend, (x) => mf.grad((t: mf.Tensor) => mf.sum(mf.square(mf.layerNorm(t))))(x), [normal(shape)], 'sum', 10);
    }
  }); // prettier-ignore

  test('the first of equal maxima, among many', async () => {
    const values = Array.from({ length: 600 }, (_, i) => (i === 77 || i === 410 ? 9 : (i * 37) % 9));
    await check(backend, (x) => mf.argMax(x), [floats(values)], 'exact');
  });

  test('products and scatters', async () => {
    await check(backend, (x, y) => mf.silu(mf.matmul(x, y)), [normal([17, 40]), normal([40, 9], 'y')], 'sum', 8);
    await check(backend, (x, y) => mf.einsum('bhqd,bkhd->bhqk', x, y), [normal([2, 3, 5, 8]), normal([2, 4, 3, 8], 'y')], 'sum', 4);
    await check(backend, (x, i) => mf.scatterAdd(x, i, 5), [normal([40, 3]), ints(Array.from({ length: 40 }, (_, k) => k % 4))], 'sum', 8);
  }); // prettier-ignore

  test('a concatenation of many', async () => {
    const parts = Array.from({ length: 15 }, (_, k) => normal([2, 1 + (k % 3)], `part ${k}`));
    await check(backend, (...list) => mf.concat(list, 1), parts, 'exact');
  });

  test('a loss of many elements', async () => {
    await check(backend, (x) => mf.mean(mf.square(x)), [normal([40, 1000])], 'sum');
  });
});
