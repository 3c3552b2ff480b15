/** Cases of the sources and of the elementwise primitives of one operand. */
import {
  abs,
  cast,
  constant,
  cos,
  erf,
  erfc,
  exp,
  floor,
  iota,
  isFinite,
  log,
  log1p,
  logicalNot,
  neg,
  rsqrt,
  sigmoid,
  sign,
  sin,
  sqrt,
  tanh,
} from '../../src/index.js';
import { bools, floats, ints, positiveWave, wave, type TensorFunction } from '../support/numeric.js';
import { NAN, INF, SPECIAL, T, type OpCase } from './case.js';

/** Values at special points, and derivatives at ordinary ones, over ranks 0 to 5 and empty shapes. */
function elementwise(
  f: TensorFunction,
  reference: (x: number) => number,
  special: readonly number[],
  { order, operand = wave }: { order?: 1 | 2; operand?: typeof wave } = {},
): OpCase[] {
  const shapes = [[], [4], [2, 3], [2, 1, 3], [1, 2, 1, 2], [2, 1, 2, 1, 2], [0], [2, 0, 3]];
  return [
    ...shapes.map((shape) => {
      const x = operand(shape, 0.4);
      return { name: `[${shape}]`, f, inputs: [x], shape, expected: Array.from(x.data, reference), order };
    }),
    { name: 'special values', f, inputs: [floats(special)], expected: special.map(reference) },
  ];
}

function sigmoidOf(x: number): number {
  return x === INF ? 1 : x === -INF ? 0 : 1 / (1 + Math.exp(-x));
}

export const elementwiseCases = {
  constant: [
    {
      name: 'nested numbers',
      f: () =>
        constant([
          [1, 2],
          [3, 4.5],
        ]),
      inputs: [],
      shape: [2, 2],
      expected: [1, 2, 3, 4.5],
    },
    { name: 'a scalar', f: () => constant(0.1), inputs: [], shape: [], expected: [0.1] },
    { name: 'int32', f: () => constant([1, -2], 'int32'), inputs: [], expected: [1, -2] },
    { name: 'bool', f: () => constant([1, 0], 'bool'), inputs: [], expected: [1, 0] },
    { name: 'a float64 array', f: () => constant(floats([0.1, NAN])), inputs: [], expected: [0.1, NAN] },
    { name: 'nothing', f: () => constant([]), inputs: [], shape: [0], expected: [] },
  ],
  iota: [
    { name: 'axis 0', f: () => iota([3, 2], 0), inputs: [], shape: [3, 2], expected: [0, 0, 1, 1, 2, 2] },
    { name: 'axis 1', f: () => iota([2, 3], 1, 'float32'), inputs: [], expected: [0, 1, 2, 0, 1, 2] },
    { name: 'an empty shape', f: () => iota([2, 0], 1), inputs: [], shape: [2, 0], expected: [] },
  ],

  neg: [
    ...elementwise(neg, (x) => -x, SPECIAL, { order: 2 }),
    { name: 'int32', f: neg, inputs: [ints([3, -(2 ** 31)])], expected: [-3, -(2 ** 31)] },
  ],
  abs: [
    ...elementwise(abs, (x) => (x < 0 ? -x : x), SPECIAL, { order: 2 }),
    { name: 'int32', f: abs, inputs: [ints([3, -4])], expected: [3, 4] },
  ],
  sign: elementwise(sign, (x) => (x > 0 ? 1 : x < 0 ? -1 : x), SPECIAL, { order: 2 }),
  floor: elementwise(
    floor,
    (x) => (Number.isFinite(x) ? x - (((x % 1) + 1) % 1) : x),
    [0, 1.5, -1.5, -2, INF, -INF, NAN],
    { order: 1 },
  ),
  exp: elementwise(exp, (x) => Math.E ** x, [0, -0, 1, -1, 800, -800, INF, -INF, NAN], { order: 2 }),
  log: elementwise(log, (x) => Math.log2(x) * Math.LN2, [1, 0, -0, -1, 1e-30, INF, NAN], {
    order: 2,
    operand: positiveWave,
  }),
  sqrt: elementwise(sqrt, (x) => (x === INF ? INF : x ** 0.5), [0, 4, -1, 1e-30, INF, NAN], {
    order: 2,
    operand: positiveWave,
  }),
  rsqrt: elementwise(rsqrt, (x) => x ** -0.5, [0, 4, -1, 1e-30, INF, NAN], {
    order: 2,
    operand: positiveWave,
  }),
  sin: elementwise(sin, (x) => Math.cos(x - Math.PI / 2), [0, 1, INF, NAN], { order: 2 }),
  cos: elementwise(cos, (x) => Math.sin(x + Math.PI / 2), [0, 1, INF, NAN], { order: 2 }),
  tanh: elementwise(tanh, (x) => 1 - 2 / (Math.exp(2 * x) + 1), SPECIAL, { order: 2 }),
  sigmoid: elementwise(sigmoid, sigmoidOf, SPECIAL, { order: 2 }),
  // Values of these at many points, in the tails, are compared in tails.test.ts.
  log1p: elementwise(log1p, (x) => Math.log1p(x), [0, 1e-20, -1, -2, INF, NAN], {
    order: 2,
    operand: positiveWave,
  }),
  erfc: [
    { name: '[2, 3]', f: erfc, inputs: [wave([2, 3], 0.4)], shape: [2, 3], order: 2 },
    {
      name: 'special values',
      f: erfc,
      inputs: [floats([0, INF, -INF, NAN, 40])],
      expected: [1, 0, 2, NAN, 0],
    },
  ],
  // Values of the error function at many points are compared in reference-values.test.ts.
  erf: [
    { name: '[2, 3]', f: erf, inputs: [wave([2, 3], 0.4)], shape: [2, 3], order: 2 },
    {
      name: 'special values',
      f: erf,
      inputs: [floats([0, INF, -INF, NAN, 40])],
      expected: [0, 1, -1, NAN, 1],
    },
  ],
  isFinite: [
    {
      name: 'special values',
      f: isFinite,
      inputs: [floats(SPECIAL)],
      expected: SPECIAL.map((x) => Number(x - x === 0)),
    },
  ],
  not: [{ name: 'both values', f: (x) => logicalNot(x), inputs: [bools(T)], expected: [0, 1, 0, 1] }],
  cast: [
    {
      name: 'float32 to int32',
      f: (x) => cast(x, 'int32'),
      inputs: [floats([1.9, -1.9, 0.2, -0])],
      expected: [1, -1, 0, 0],
    },
    {
      name: 'float32 to bool',
      f: (x) => cast(x, 'bool'),
      inputs: [floats([0, -0, 0.1, NAN])],
      expected: [0, 0, 1, 1],
    },
    { name: 'int32 to float32', f: (x) => cast(x, 'float32'), inputs: [ints([3, -4])], expected: [3, -4] },
    { name: 'bool to int32', f: (x) => cast(x, 'int32'), inputs: [bools(T)], expected: T },
    { name: 'int32 to bool', f: (x) => cast(x, 'bool'), inputs: [ints([-1, 0, 256])], expected: [1, 0, 1] },
    {
      name: 'no derivative through int32',
      f: (x) => cast(cast(x, 'int32'), 'float32'),
      inputs: [floats([1.4, -2.3])],
      expected: [1, -2],
      order: 1,
    },
  ],
} as const satisfies Record<string, readonly OpCase[]>;
