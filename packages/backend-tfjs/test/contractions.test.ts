import * as mf from '@meanflow/core';
import { normal, onEveryDevice } from './support.js';

onEveryDevice(({ check }) => {
  describe('einsum', () => {
    const sizes: Record<string, number> = { b: 2, h: 3, q: 4, k: 5, d: 6, i: 4, j: 7, m: 1 };
    const shape = (letters: string) => [...letters].map((letter) => sizes[letter]);
    test.each([
    'ik,kj->ij', 'ki,kj->ij', 'ik,jk->ij', 'ki,jk->ij', 'ik,kj->ji', // two matrices, any way round
    'i,i->', 'i,j->ij', 'i,ij->j', 'ij,j->i', 'ij,ij->', // vectors
    'biq,qj->bij', 'bi,bij->bj', 'bqi,bqj->ij', 'bqk,jk->bqj', // stacks times a matrix
    'bhqd,bhkd->bhqk', 'bhqk,bhkd->bhqd', 'bqhd,bkhd->bhqk', 'bhqk,bkhd->bqhd', // attention, both layouts
    'bhi,bhj->bij', 'hbi,bhj->bij', 'bih,hbj->ij', 'bij,jki->bk', // several contracting axes, in any order
    'mi,mj->mij', 'bmi,bmj->bij', 'mk,kj->mj', 'im,mj->ij', // axes of size one
  ])('%s', async (equation) => {
    const [left, right] = equation.split('->')[0].split(',');
    await check((x, y) => mf.einsum(equation, x, y), [normal(shape(left)), normal(shape(right), 'y')], 'sum', 4);
  }); // prettier-ignore

    test('nothing to sum, and nothing at all', async () => {
      await check((x, y) => mf.matmul(x, y), [normal([2, 0]), normal([0, 3])], 'exact');
      await check((x, y) => mf.matmul(x, y), [normal([0, 2]), normal([2, 3])], 'exact');
      await check((x, y) => mf.matmul(x, y), [normal([4, 2, 0]), normal([4, 0, 3])], 'exact');
    });

    test('a long sum', async () => {
      await check((x, y) => mf.matmul(x, y), [normal([3, 300]), normal([300, 65], 'y')], 'sum', 20);
    });
  });

  describe('conv', () => {
    const cases: [string, mf.Shape, mf.Shape, Partial<mf.ConvWindow>][] = [
    ['valid', [2, 3, 6, 5], [4, 3, 3, 2], {}],
    ['padded', [2, 3, 6, 5], [4, 3, 3, 3], { padding: [[1, 1], [1, 1]] }],
    ['padded unevenly', [1, 2, 4, 5], [3, 2, 3, 3], { padding: [[2, 0], [0, 3]] }],
    ['cropped', [1, 2, 8, 7], [3, 2, 3, 3], { padding: [[-1, -2], [1, -1]] }],
    ['strided', [2, 3, 8, 9], [4, 3, 3, 3], { strides: [2, 3], padding: [[1, 1], [0, 0]] }],
    ['kernel dilation', [1, 2, 9, 8], [3, 2, 3, 2], { rhsDilation: [2, 3] }],
    ['input dilation', [2, 3, 4, 5], [4, 3, 3, 2], { lhsDilation: [2, 3] }],
    ['input dilation, padded', [2, 3, 4, 5], [4, 3, 3, 3], { lhsDilation: [2, 2], padding: [[1, 2], [0, 1]] }],
    ['input dilation, surplus', [1, 2, 3, 3], [2, 2, 2, 2], { lhsDilation: [2, 2], padding: [[4, 0], [3, 5]] }],
    ['input dilation, cropped', [1, 2, 5, 5], [2, 2, 2, 2], { lhsDilation: [2, 3], padding: [[-1, 0], [-2, -1]] }],
    ['input dilation, only surplus', [1, 1, 2], [1, 1, 1], { lhsDilation: [2], padding: [[4, -3]] }],
    ['both dilations', [1, 2, 5, 4], [3, 2, 2, 3], { lhsDilation: [2, 2], rhsDilation: [2, 3], padding: [[0, 0], [3, 3]] }],
    ['input dilation and strides', [1, 2, 5, 6], [3, 2, 3, 3], { lhsDilation: [3, 2], strides: [2, 3], padding: [[1, 0], [2, 2]] }],
    ['groups', [2, 4, 5, 5], [6, 2, 3, 3], { groups: 2 }],
    ['groups with input dilation', [2, 4, 3, 3], [6, 2, 3, 3], { groups: 2, lhsDilation: [2, 2], padding: [[1, 1], [1, 1]] }],
    ['depthwise', [1, 4, 6, 6], [4, 1, 3, 3], { groups: 4, padding: [[1, 1], [1, 1]] }],
    ['depthwise with steps and dilation', [1, 4, 8, 7], [8, 1, 2, 3], { groups: 4, strides: [2, 1], rhsDilation: [2, 2] }],
      ['one axis', [2, 3, 9], [4, 3, 4], { strides: [2], padding: [[1, 2]] }],
    ['three axes', [1, 2, 4, 5, 3], [3, 2, 2, 2, 2], { strides: [1, 2, 1] }],
    ['1 × 1', [2, 5, 4, 4], [3, 5, 1, 1], {}],
    ['window larger than the input', [1, 1, 2, 2], [1, 1, 3, 3], {}],
    ['no channels', [1, 0, 3, 3], [2, 0, 2, 2], {}],
    ['nothing but padding', [1, 2, 0, 3], [2, 2, 1, 1], { padding: [[1, 1], [0, 0]] }],
  ]; // prettier-ignore
    test.each(cases)('%s', async (_, x, kernel, window) => {
      await check((a, b) => mf.conv(a, b, window), [normal(x), normal(kernel, 'k')], 'sum', 8);
    });

    test.each(cases.slice(0, 18))('%s: both derivatives', async (_, x, kernel, window) => {
      const loss = (a: mf.Tensor, b: mf.Tensor) => mf.sum(mf.square(mf.conv(a, b, window)));
      const inputs = [normal(x), normal(kernel, 'k')];
      await check((a, b) => mf.grad((t: mf.Tensor) => loss(t, b))(a), inputs, 'sum', 100);
      await check((a, b) => mf.grad((t: mf.Tensor) => loss(a, t))(b), inputs, 'sum', 300);
    });
  });
});
