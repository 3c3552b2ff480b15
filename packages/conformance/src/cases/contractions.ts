/** Values of the contractions and of the ops that read and write rows of tables. */
import {
  conv,
  dotGeneral,
  einsum,
  gather,
  grad,
  matmul,
  mul,
  reverse,
  scatterAdd,
  slice,
  square,
  sum,
  transpose,
  type ConvWindow,
  type DotDimensions,
  type Shape,
  type Tensor,
} from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { valueCase, type TensorFunction } from './build.js';
import type { Feature, GraphCase } from './case.js';
import { bools, f32, floats, i32, ints, show } from './inputs.js';

const dot = (
  lhsContracting: number[],
  rhsContracting: number[],
  lhsBatch: number[] = [],
  rhsBatch: number[] = [],
): DotDimensions => ({ lhsContracting, rhsContracting, lhsBatch, rhsBatch });

const DOTS: readonly (readonly [string, Shape, Shape, DotDimensions, ...Feature[]])[] = [
  ['inner product', [5], [5], dot([0], [0])],
  ['outer product', [3], [4], dot([], [])],
  ['of scalars', [], [], dot([], [])],
  ['matrix by vector', [3, 4], [4], dot([1], [0])],
  ['vector by matrix', [3], [3, 4], dot([0], [0])],
  ['matrices', [3, 4], [4, 5], dot([1], [0])],
  ['left transposed', [4, 3], [4, 5], dot([0], [0])],
  ['right transposed', [3, 4], [5, 4], dot([1], [1])],
  ['both transposed', [4, 3], [5, 4], dot([0], [1])],
  ['elementwise, as a batch', [3, 4], [3, 4], dot([], [], [0, 1], [0, 1])],
  ['square, left transposed', [3, 3], [3, 3], dot([0], [0])],
  ['square, right transposed', [3, 3], [3, 3], dot([1], [1])],
  ['cubes, axes in other places', [3, 3, 3], [3, 3, 3], dot([0], [2], [2], [1])],
  ['cubes, contracting axes in another order', [3, 3, 3], [3, 3, 3], dot([0, 2], [2, 1])],
  ['a batch', [2, 3, 4], [2, 4, 5], dot([2], [1], [0], [0])],
  ['batch axes in other places', [3, 2, 4], [4, 5, 2], dot([2], [0], [1], [2])],
  ['two batch axes', [2, 3, 4, 5], [2, 3, 5, 2], dot([3], [2], [0, 1], [0, 1])],
  ['two contracting axes', [2, 3, 4], [3, 4, 5], dot([1, 2], [0, 1])],
  ['contracting axes in another order', [2, 3, 4], [4, 5, 3], dot([1, 2], [2, 0])],
  ['many free axes', [2, 3, 4], [4, 2, 3], dot([2], [0])],
  ['rank 5', [2, 2, 1, 3, 2], [2, 2, 1, 2, 3], dot([4], [3], [0, 1, 2], [0, 1, 2]), 'rank-5'],
  ['nothing to sum', [3, 0], [0, 4], dot([1], [0]), 'zero-size'],
  ['nothing to sum in a batch', [4, 2, 0], [4, 0, 3], dot([2], [1], [0], [0]), 'zero-size'],
  ['an empty batch', [0, 3, 4], [0, 4, 2], dot([2], [1], [0], [0]), 'zero-size'],
  ['no rows', [0, 4], [4, 3], dot([1], [0]), 'zero-size'],
  ['1,000 products', [9, 1000], [1000, 7], dot([1], [0]), 'large'],
  ['sizes that fill no tile', [67, 35], [35, 33], dot([1], [0]), 'large'],
  ['4,096 products', [4096], [4096], dot([0], [0]), 'large'],
];

function dotCases(): GraphCase[] {
  const matrices = () => [floats([3, 4], -1, 1, 'a'), floats([4, 5], -1, 1, 'b')];
  return [
    ...DOTS.map(
      ([variant, a, b, dimensions, ...features]) =>
      valueCase('dotGeneral', variant, (x, y) => dotGeneral(x, y, dimensions), () => [
        floats(a, -1, 1, 'a'),
        floats(b, -1, 1, 'b'),
      ], { features }), // prettier-ignore
    ),
    valueCase('dotGeneral', 'of transposed and reversed', (x, y) => matmul(transpose(x), reverse(y, [0])), () => [
      floats([4, 3], -1, 1, 'a'),
      floats([4, 5], -1, 1, 'b'),
    ], { features: ['layout'] }), // prettier-ignore
    valueCase('dotGeneral', 'of sliced', (x, y) => matmul(slice(x, [0, 1], [4, 6], [2, 1]), y), () => [
      floats([5, 7], -1, 1, 'a'),
      floats([5, 3], -1, 1, 'b'),
    ], { features: ['layout'] }), // prettier-ignore
    valueCase(
      'dotGeneral',
      'with itself',
      (x) => einsum('ik,jk->ij', x, x),
      () => [floats([4, 6], -1, 1)],
    ),
    valueCase('dotGeneral', 'einsum with a transposed result', (x, y) => einsum('bqhd,bkhd->bhqk', x, y), () => [
      floats([2, 3, 2, 4], -1, 1, 'a'),
      floats([2, 5, 2, 4], -1, 1, 'b'),
    ]), // prettier-ignore
    valueCase('dotGeneral', 'a batched operand by a matrix', (x, y) => matmul(x, y), () => [
      floats([2, 3, 4], -1, 1, 'a'),
      floats([4, 5], -1, 1, 'b'),
    ]), // prettier-ignore
    valueCase('dotGeneral', 'large cancelling terms', (x, y) => matmul(x, y), () => [
      f32([1e4, 1, -1e4, 1], [1, 4]),
      f32([1, 1, 1, 1], [4, 1]),
    ]), // prettier-ignore
    valueCase('dotGeneral', 'NaN stays in its row', matmul as TensorFunction, () => {
      const [a, b] = leading(matrices(), 2);
      a.data[5] = NaN;
      return [a, b];
    }, { features: ['nan'] }), // prettier-ignore
  ];
}

/** Products as einsum writes them: axes in any order, stacks, attention in both layouts, axes of size one. */
const EINSUMS: readonly string[] = [
  'ik,kj->ji', 'i,ij->j', 'ij,j->i', 'ij,ij->', // matrices and vectors
  'biq,qj->bij', 'bi,bij->bj', 'bqi,bqj->ij', 'bqk,jk->bqj', // stacks
  'bhqd,bhkd->bhqk', 'bhqk,bhkd->bhqd', 'bhqk,bkhd->bqhd', // attention
  'bhi,bhj->bij', 'hbi,bhj->bij', 'bih,hbj->ij', 'bij,jki->bk', // several contracting axes
  'mi,mj->mij', 'bmi,bmj->bij', 'mk,kj->mj', 'im,mj->ij', // axes of size one
]; // prettier-ignore
const SIZES: Readonly<Record<string, number>> = { b: 2, h: 3, q: 4, k: 5, d: 6, i: 4, j: 7, m: 1 };

function einsumCases(): GraphCase[] {
  return EINSUMS.map((equation) => {
    const [a, b] = leading(
      equation
        .split('->')[0]!
        .split(',')
        .map((letters) => [...letters].map((letter) => SIZES[letter]!)),
      2,
    );
    const inputs = () => [floats(a, -1, 1, 'a'), floats(b, -1, 1, 'b')];
    return valueCase('dotGeneral', `einsum ${equation}`, (x, y) => einsum(equation, x, y), inputs);
  });
}

const CONVS: readonly (readonly [string, Shape, Shape, Partial<ConvWindow>, ...Feature[]])[] = [
  ['1 axis', [2, 3, 8], [4, 3, 3], {}],
  ['2 axes', [2, 3, 6, 5], [4, 3, 3, 3], {}],
  ['3 axes', [1, 2, 4, 3, 4], [2, 2, 2, 2, 2], {}, 'rank-5'],
  ['1×1 window', [2, 3, 4, 4], [5, 3, 1, 1], {}],
  ['padding', [1, 2, 5, 5], [3, 2, 3, 3], { padding: [[1, 1], [1, 1]] }],
  ['uneven padding', [1, 2, 5, 5], [3, 2, 3, 2], { padding: [[0, 2], [1, 0]] }],
  ['negative padding', [1, 2, 6, 6], [2, 2, 2, 2], { padding: [[-1, 0], [1, -2]] }],
  ['strides', [1, 2, 7, 6], [3, 2, 3, 3], { strides: [2, 3], padding: [[1, 1], [1, 1]] }],
  ['a dilated window', [1, 2, 8, 7], [2, 2, 3, 2], { rhsDilation: [2, 3] }],
  ['a dilated input', [1, 2, 4, 3], [2, 2, 3, 3], { lhsDilation: [2, 2], padding: [[2, 2], [2, 2]] }],
  ['a dilated input, strides and uneven padding', [1, 2, 4, 5], [2, 2, 3, 3], { lhsDilation: [2, 3], strides: [3, 2], padding: [[2, 1], [0, 2]] }],
  ['groups', [2, 4, 5, 5], [6, 2, 3, 3], { groups: 2 }],
  ['depthwise', [1, 3, 5, 5], [3, 1, 3, 3], { groups: 3, padding: [[1, 1], [1, 1]] }],
  ['groups, strides and dilation', [1, 4, 7, 7], [4, 2, 2, 2], { groups: 2, strides: [2, 1], rhsDilation: [1, 2] }],
  ['a dilated input, without padding', [2, 3, 4, 5], [4, 3, 3, 2], { lhsDilation: [2, 3] }],
  ['a dilated input, more padding than window', [1, 2, 3, 3], [2, 2, 2, 2], { lhsDilation: [2, 2], padding: [[4, 0], [3, 5]] }],
  ['a dilated input, cropped', [1, 2, 5, 5], [2, 2, 2, 2], { lhsDilation: [2, 3], padding: [[-1, 0], [-2, -1]] }],
  ['a dilated input, padded before and cropped after', [1, 1, 2], [1, 1, 1], { lhsDilation: [2], padding: [[4, -3]] }],
  ['a dilated input and window', [1, 2, 5, 4], [3, 2, 2, 3], { lhsDilation: [2, 2], rhsDilation: [2, 3], padding: [[0, 0], [3, 3]] }],
  ['groups and a dilated input', [2, 4, 3, 3], [6, 2, 3, 3], { groups: 2, lhsDilation: [2, 2], padding: [[1, 1], [1, 1]] }],
  ['depthwise, strides and dilation', [1, 4, 8, 7], [8, 1, 2, 3], { groups: 4, strides: [2, 1], rhsDilation: [2, 2] }],
  ['everything at once', [2, 2, 5, 4], [4, 1, 2, 3], { groups: 2, strides: [2, 1], lhsDilation: [1, 2], rhsDilation: [2, 1], padding: [[1, 2], [2, 0]] }],
  ['an empty batch', [0, 2, 5, 5], [3, 2, 3, 3], {}, 'zero-size'],
  ['a window larger than the input', [1, 2, 2, 2], [3, 2, 3, 3], {}, 'zero-size'],
  ['no channels', [1, 0, 4, 4], [2, 0, 3, 3], {}, 'zero-size'],
  ['nothing but padding', [1, 2, 0, 3], [2, 2, 1, 1], { padding: [[1, 1], [0, 0]] }, 'zero-size'],
  ['more channels than places of the window', [2, 9, 6, 7], [5, 9, 3, 3], { padding: [[1, 1], [1, 1]] }],
  ['wide', [1, 2, 3, 40], [3, 2, 3, 3], { padding: [[0, 1], [1, 1]] }],
  ['wide, many channels and strides', [1, 9, 5, 70], [5, 9, 3, 3], { strides: [2, 2], padding: [[1, 0], [0, 1]] }],
  ['many channels', [1, 32, 9, 9], [16, 32, 3, 3], { padding: [[1, 1], [1, 1]] }, 'large'],
]; // prettier-ignore

/** Gradients are convolutions of windows that nobody writes by hand; the oracle of the others is finite differences. */
function convGradients(): GraphCase[] {
  const squares = (x: Tensor, kernel: Tensor, window: Partial<ConvWindow>) =>
    sum(square(conv(x, kernel, window)));
  return CONVS.filter(([, , , , ...features]) => features.length === 0).map(([variant, x, kernel, window]) =>
    valueCase('conv', `both gradients, ${variant}`, (a, b) => [
      grad((t: Tensor) => squares(t, b, window))(a),
      grad((t: Tensor) => squares(a, t, window))(b),
    ], () => [floats(x, -1, 1, 'conv x'), floats(kernel, -1, 1, 'conv kernel')], { aspect: 'derivatives' }),
  ); // prettier-ignore
}

function convCases(): GraphCase[] {
  return [
    ...convGradients(),
    ...CONVS.map(
      ([variant, x, kernel, window, ...features]) =>
      valueCase('conv', variant, (a, b) => conv(a, b, window), () => [
        floats(x, -1, 1, 'conv x'),
        floats(kernel, -1, 1, 'conv kernel'),
      ], { features }), // prettier-ignore
    ),
    valueCase('conv', 'of transposed', (x, kernel) => conv(transpose(x, [0, 3, 1, 2]), kernel), () => [
      floats([2, 5, 6, 3], -1, 1, 'conv x'),
      floats([4, 3, 3, 3], -1, 1, 'conv kernel'),
    ], { features: ['layout'] }), // prettier-ignore
    valueCase('conv', 'with a reversed kernel', (x, kernel) => conv(x, reverse(kernel, [2, 3])), () => [
      floats([1, 2, 5, 5], -1, 1, 'conv x'),
      floats([2, 2, 3, 3], -1, 1, 'conv kernel'),
    ], { features: ['layout'] }), // prettier-ignore
  ];
}

/** Tables, and shapes of indices. */
const GATHERS: readonly (readonly [Shape, Shape, ...Feature[]])[] = [
  [[5], []],
  [[5], [3]],
  [[6, 3], [4]],
  [[6, 3], []],
  [
    [4, 2, 3],
    [2, 3],
  ],
  [[3, 2, 1, 2], [2]],
  [[4, 2, 1, 2, 2], [3], 'rank-5'],
  [[3, 2], [2, 1, 2, 2], 'rank-5'],
  [[6, 3], [0], 'zero-size'],
  [[4, 0], [3], 'zero-size'],
  [[300, 17], [500], 'large'],
];

function tableCases(): GraphCase[] {
  const draw = {
    float32: floats,
    int32: (shape: Shape) => ints(shape, -(2 ** 31), 2 ** 31),
    bool: bools,
  } as const;
  return [
    ...GATHERS.flatMap(([table, indices, ...features]) =>
      (['float32', 'int32', 'bool'] as const).map(
        (dtype) =>
        valueCase('gather', `${dtype} ${show(indices)} rows of ${show(table)}`, gather as TensorFunction, () => [
          draw[dtype](table),
          ints(indices, 0, table[0], 'indices'),
        ], { features: [...features, ...(dtype === 'float32' ? [] : [dtype])] }), // prettier-ignore
      ),
    ),
    ...GATHERS.map(([table, indices, ...features]) =>
      valueCase(
        'scatterAdd',
        `${show(indices)} rows into ${show(table)}`,
        (updates, at) => scatterAdd(updates, at, table[0]!),
        () => [floats([...indices, ...table.slice(1)], -1, 1), ints(indices, 0, table[0], 'indices')],
        { features },
      ),
    ),
    valueCase('gather', 'of transposed', (table, at) => gather(transpose(table), at), () => [
      floats([3, 5]),
      i32([4, 0, 0]),
    ], { features: ['layout'] }), // prettier-ignore
    valueCase('gather', 'moves NaN and infinities', gather as TensorFunction, () => [
      f32([NaN, Infinity, -Infinity, 1], [2, 2]),
      i32([1, 0, 1]),
    ], { features: ['nan', 'infinity'] }), // prettier-ignore
    valueCase('scatterAdd', 'nothing into no rows', (updates, at) => scatterAdd(updates, at, 0), () => [
      floats([0, 4]),
      i32([]),
    ], { features: ['zero-size'] }), // prettier-ignore
    valueCase('scatterAdd', 'NaN stays in its row', (updates, at) => scatterAdd(updates, at, 3), () => [
      f32([1, 2, NaN, 3, 4, 5], [3, 2]),
      i32([0, 1, 2]),
    ], { features: ['nan'] }), // prettier-ignore
    valueCase('scatterAdd', 'many into one row', (updates, at) => scatterAdd(updates, at, 3), () => [
      floats([100, 2], -1, 1),
      i32(new Array<number>(100).fill(1)),
    ]), // prettier-ignore
    valueCase('scatterAdd', 'rows that no index names are zero', (updates, at) => scatterAdd(updates, at, 6), () => [
      floats([2, 2]),
      i32([4, 1]),
    ]), // prettier-ignore
    valueCase('scatterAdd', 'of scaled and transposed', (updates, at) => scatterAdd(mul(transpose(updates), 2), at, 4), () => [
      floats([2, 3]),
      i32([3, 0, 3]),
    ], { features: ['layout'] }), // prettier-ignore
  ];
}

/** All of them. */
export function contractionCases(): GraphCase[] {
  return [...dotCases(), ...einsumCases(), ...convCases(), ...tableCases()];
}
