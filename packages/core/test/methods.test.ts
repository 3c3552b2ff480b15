/** The rule of Tensor's methods: each function of one tensor is one, and each is a function. */
import type * as activations from '../src/composites/activations.js';
import type * as attention from '../src/composites/attention.js';
import type * as normalization from '../src/composites/normalization.js';
import type * as primitives from '../src/functions.js';
import * as core from '../src/index.js';
import { methodNames, type TensorMethods } from '../src/methods.js';
import { spec, trace, type Tensor } from '../src/index.js';

type Functions = typeof primitives & typeof activations & typeof attention & typeof normalization;
type Function = (x: Tensor, ...rest: never) => unknown;
type OfOneTensor = {
  [K in keyof Functions]: Functions[K] extends Function
    ? ReturnType<Functions[K]> extends Tensor
      ? K
      : never
    : never;
}[keyof Functions];
type Name = (typeof methodNames)[number];

test('every function whose first argument is one tensor and whose result is one is a method, and no other', () => {
  // That this compiles is the test: what one list has and the other has not would be no empty list.
  const differences: { readonly [K in Exclude<OfOneTensor, Name> | Exclude<Name, OfOneTensor>]: never } = {};
  expect(differences).toEqual({});
  expect(new Set(methodNames).size).toBe(methodNames.length);
});

test('the class has these methods and its own', () => {
  const own = ['constructor', 'rank', 'toString'];
  expect(Object.getOwnPropertyNames(core.Tensor.prototype).sort()).toEqual([...own, ...methodNames].sort());
});

/** Dtypes of the tensor that a method is called on, and of its argument, where they are not float32. */
const dtypes: { readonly [K in Name]?: readonly [core.DType, core.DType?] } = {
  logicalNot: ['bool'],
  logicalAnd: ['bool', 'bool'],
  logicalOr: ['bool', 'bool'],
  where: ['bool'],
  gather: ['float32', 'int32'],
  scatterAdd: ['float32', 'int32'],
  oneHot: ['int32'],
};

const alone = (): [] => [];
const withOther = (y: Tensor): [Tensor] => [y];
const contraction = { lhsContracting: [3], rhsContracting: [2], lhsBatch: [0, 1], rhsBatch: [0, 1] };

/** What methods are given of another tensor of the same shape, [2, 2, 2, 2]. */
const given: { readonly [K in Name]: (y: Tensor) => Parameters<TensorMethods[K]> } = {
  ...{
    abs: alone,
    cos: alone,
    erf: alone,
    erfc: alone,
    exp: alone,
    floor: alone,
    isFinite: alone,
    log: alone,
  },
  ...{ log1p: alone, logicalNot: alone, neg: alone, rsqrt: alone, sigmoid: alone, sign: alone, sin: alone },
  ...{ sqrt: alone, square: alone, tanh: alone, sum: alone, argMax: alone, transpose: alone },
  ...{ stopGradient: alone, relu: alone, silu: alone, softplus: alone, softmax: alone, layerNorm: alone },
  ...{ add: withOther, sub: withOther, mul: withOther, div: withOther, pow: withOther, maximum: withOther },
  ...{
    minimum: withOther,
    logicalAnd: withOther,
    logicalOr: withOther,
    equal: withOther,
    notEqual: withOther,
  },
  ...{
    less: withOther,
    lessEqual: withOther,
    greater: withOther,
    greaterEqual: withOther,
    matmul: withOther,
  },
  ...{ gather: withOther, optimizationBarrier: withOther },
  cast: () => ['int32'],
  clip: () => [0, 1],
  where: (y) => [y, 0],
  mean: () => [1, { keepDims: true }],
  max: () => [[0, 1]],
  min: () => [-1],
  reshape: () => [[4, -1]],
  broadcastTo: () => [[3, 2, 2, 2, 2]],
  slice: () => [[0, 0, 0, 0], [1, 2, 2, 2]], // prettier-ignore
  pad: () => [{ low: [1, 0, 0, 0], high: [0, 1, 0, 0] }],
  reverse: () => [[0]],
  expandDims: () => [0],
  dotGeneral: (y) => [y, contraction],
  conv: (y) => [y, { padding: [[1, 1], [0, 0]] }], // prettier-ignore
  scatterAdd: (y) => [y, 4],
  oneHot: () => [3],
  gelu: () => [{ approximate: 'tanh' }],
  rmsNorm: () => [{ epsilon: 1e-3 }],
  groupNorm: () => [{ groups: 2 }],
  attention: (y) => [y, y, { scale: 2 }],
};

test.each(methodNames)('x.%s(…) is the function', (name) => {
  const [on, other] = dtypes[name] ?? [];
  const types = { x: spec([2, 2, 2, 2], on), y: spec([2, 2, 2, 2], other) };
  const rest = given[name] as (y: Tensor) => never;
  const f = core[name] as (x: Tensor, ...rest: never) => Tensor;
  const called = trace(({ x, y }: { x: Tensor; y: Tensor }) => f(x, ...rest(y)), types);
  const method = trace(({ x, y }) => (x[name] as (...rest: never) => Tensor)(...rest(y)), types);
  expect(method.graph.instructions.length).toBeGreaterThan(0);
  expect(method.graph.toString()).toBe(called.graph.toString());
});
