/** Cases of contractions, indexing and structure. Values for every role of an axis are in reference-values.test.ts. */
import { conv, dotGeneral, gather, optimizationBarrier, scatterAdd, stopGradient } from '../../src/index.js';
import { floats, ints, wave } from '../support/numeric.js';
import { NAN, type OpCase } from './case.js';

export const contractionCases = {
  // Values and gradients for every axis role are compared in reference-values.test.ts.
  dotGeneral: [
    {
      name: 'second order with batch, free and contracting axes out of order',
      f: (x, y) =>
        dotGeneral(x, y, { lhsBatch: [1], rhsBatch: [2], lhsContracting: [2], rhsContracting: [0] }),
      inputs: [wave([2, 2, 3], 0.1), wave([3, 2, 2], 0.8)],
      shape: [2, 2, 2],
      order: 2,
    },
    {
      name: 'a square',
      f: (x) => dotGeneral(x, x, { lhsBatch: [], rhsBatch: [], lhsContracting: [1], rhsContracting: [1] }),
      inputs: [wave([2, 3])],
      shape: [2, 2],
      order: 2,
    },
  ],
  conv: [
    {
      name: 'second order with strides, padding, dilation and groups',
      f: (x, k) => conv(x, k, { strides: [2], padding: [[1, 2]], rhsDilation: [2], groups: 2 }),
      inputs: [wave([2, 4, 6], 0.1), wave([2, 2, 2], 0.8)],
      shape: [2, 2, 4],
      order: 2,
    },
    {
      name: 'second order with a dilated input, cropped',
      f: (x, k) => conv(x, k, { lhsDilation: [2], padding: [[-1, 1]] }),
      inputs: [wave([1, 2, 4]), wave([1, 2, 2], 1)],
      shape: [1, 1, 6],
      order: 2,
    },
    {
      name: 'a window larger than the input',
      f: (x, k) => conv(x, k),
      inputs: [wave([1, 1, 2]), wave([1, 1, 3])],
      shape: [1, 1, 0],
      expected: [],
      order: 2,
    },
    {
      name: 'an empty batch',
      f: (x, k) => conv(x, k),
      inputs: [wave([0, 2, 4]), wave([3, 2, 2])],
      shape: [0, 3, 3],
      expected: [],
      order: 2,
    },
  ],
  gather: [
    {
      name: 'rows',
      f: (t, i) => gather(t, i),
      inputs: [floats([1, 2, 3, 4, 5, 6], [3, 2]), ints([2, 0, 2, 1])],
      shape: [4, 2],
      expected: [5, 6, 1, 2, 5, 6, 3, 4],
      order: 2,
    },
    {
      name: 'a matrix of indices',
      f: (t, i) => gather(t, i),
      inputs: [floats([1, 2, 3]), ints([2, 0, 1, 1], [2, 2])],
      shape: [2, 2],
      expected: [3, 1, 2, 2],
      order: 2,
    },
    {
      name: 'a scalar index',
      f: (t, i) => gather(t, i),
      inputs: [wave([3, 2, 2]), ints([1], [])],
      shape: [2, 2],
      order: 2,
    },
    {
      name: 'no indices',
      f: (t, i) => gather(t, i),
      inputs: [wave([3, 2]), ints([])],
      shape: [0, 2],
      expected: [],
      order: 2,
    },
  ],
  scatterAdd: [
    {
      name: 'repeated and missing rows',
      f: (u, i) => scatterAdd(u, i, 4),
      inputs: [floats([1, 2, 3, 4, 5, 6], [3, 2]), ints([2, 0, 2])],
      shape: [4, 2],
      expected: [3, 4, 0, 0, 6, 8, 0, 0],
      order: 2,
    },
    {
      name: 'a matrix of indices',
      f: (u, i) => scatterAdd(u, i, 2),
      inputs: [floats([1, 2, 3, 4], [2, 2]), ints([1, 0, 1, 1], [2, 2])],
      expected: [2, 8],
      order: 2,
    },
    {
      name: 'no updates',
      f: (u, i) => scatterAdd(u, i, 2),
      inputs: [wave([0, 2]), ints([])],
      shape: [2, 2],
      expected: [0, 0, 0, 0],
      order: 2,
    },
  ],
  stopGradient: [
    { name: 'the value', f: (x) => stopGradient(x), inputs: [floats([1, NAN])], expected: [1, NAN] },
  ],
  optimizationBarrier: [
    {
      name: 'the first operand',
      f: (x, y) => optimizationBarrier(x, y),
      inputs: [floats([1, 2]), floats([3])],
      expected: [1, 2],
      order: 2,
    },
  ],
} as const satisfies Record<string, readonly OpCase[]>;
