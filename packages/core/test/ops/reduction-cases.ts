/** Cases of the reductions. */
import { argMax, max, sum } from '../../src/index.js';
import { floats, ints, wave } from '../support/numeric.js';
import { NAN, INF, x234, at, table, type OpCase } from './case.js';

export const reductionCases = {
  reduceSum: [
    {
      name: 'all axes',
      f: (x) => sum(x),
      inputs: [x234],
      shape: [],
      expected: [x234.data.reduce((a, b) => a + b)],
      order: 2,
    },
    {
      name: 'axis -2',
      f: (x) => sum(x, -2),
      inputs: [x234],
      shape: [2, 4],
      expected: table([2, 4], (i, k) => at(i, 0, k) + at(i, 1, k) + at(i, 2, k)),
      order: 2,
    },
    {
      name: 'axes 0 and 2, kept',
      f: (x) => sum(x, [2, 0], { keepDims: true }),
      inputs: [x234],
      shape: [1, 3, 1],
      expected: table([3], (j) => table([2, 4], (i, k) => at(i, j, k)).reduce((a, b) => a + b)),
      order: 2,
    },
    {
      name: 'no axes',
      f: (x) => sum(x, []),
      inputs: [x234],
      shape: [2, 3, 4],
      expected: [...x234.data],
      order: 1,
    },
    {
      name: 'over nothing',
      f: (x) => sum(x, 1),
      inputs: [wave([2, 0])],
      shape: [2],
      expected: [0, 0],
      order: 2,
    },
    { name: 'to nothing', f: (x) => sum(x, 0), inputs: [wave([2, 0])], shape: [0], expected: [], order: 2 },
    {
      name: 'a scalar',
      f: (x) => sum(x),
      inputs: [wave([], 1)],
      shape: [],
      expected: [Math.sin(1)],
      order: 2,
    },
    { name: 'rank 5', f: (x) => sum(x, [1, 3]), inputs: [wave([2, 2, 1, 3, 2])], shape: [2, 1, 2], order: 2 },
    {
      name: 'int32, wrapping around',
      f: (x) => sum(x),
      inputs: [ints([2 ** 31 - 1, 1])],
      expected: [-(2 ** 31)],
    },
    {
      name: 'NaN and infinity',
      f: (x) => sum(x, 1),
      inputs: [floats([1, NAN, INF, 1, INF, -INF], [3, 2])],
      expected: [NAN, INF, NAN],
    },
  ],
  reduceMax: [
    {
      name: 'all axes',
      f: (x) => max(x),
      inputs: [x234],
      shape: [],
      expected: [x234.data.reduce((a, b) => (a > b ? a : b))],
      order: 2,
    },
    {
      name: 'axis 1',
      f: (x) => max(x, 1),
      inputs: [x234],
      shape: [2, 4],
      expected: table([2, 4], (i, k) => [0, 1, 2].map((j) => at(i, j, k)).sort((a, b) => b - a)[0]),
      order: 2,
    },
    {
      name: 'axes -1 and 0, kept',
      f: (x) => max(x, [-1, 0], { keepDims: true }),
      inputs: [x234],
      shape: [1, 3, 1],
      order: 2,
    },
    { name: 'over nothing', f: (x) => max(x, 1), inputs: [wave([2, 0])], shape: [2], expected: [-INF, -INF] },
    { name: 'int32', f: (x) => max(x, 0), inputs: [ints([1, 5, -3, 2], [2, 2])], expected: [1, 5] },
    { name: 'int32 over nothing', f: (x) => max(x, 0), inputs: [ints([], [0])], expected: [-(2 ** 31)] },
    {
      name: 'NaN and infinity',
      f: (x) => max(x, 1),
      inputs: [floats([1, NAN, INF, 1, -INF, -INF], [3, 2])],
      expected: [NAN, INF, -INF],
    },
  ],
  argMax: [
    {
      name: 'axis -1',
      f: (x) => argMax(x),
      inputs: [floats([1, 3, 2, 5, 4, 5], [2, 3])],
      shape: [2],
      expected: [1, 0],
    },
    {
      name: 'axis 0',
      f: (x) => argMax(x, 0),
      inputs: [floats([1, 3, 2, 5, 1, 2], [2, 3])],
      shape: [3],
      expected: [1, 0, 0],
    },
    { name: 'int32', f: (x) => argMax(x, 0), inputs: [ints([-5, -2])], shape: [], expected: [1] },
  ],
} as const satisfies Record<string, readonly OpCase[]>;
