/**
 * Tensor's methods, by one rule: every function that programs are written with (`functions/`, `composites/`) whose first argument is
 * one tensor and whose result is one is a method of the same name, which takes the rest of its arguments: `x.mul(y).sum()` is
 * `sum(mul(x, y))`. So formulas stand in the order in which they are read, and nobody has to know which are there. They are put onto
 * the class here, for its module comes before the functions, which make tensors.
 */
import * as activations from './composites/activations.js';
import * as attention from './composites/attention.js';
import * as normalization from './composites/normalization.js';
import * as primitives from './functions.js';
import { Tensor } from './tensor.js';

type Functions = typeof primitives & typeof activations & typeof attention & typeof normalization;

/** The functions of which each is a method. */
export const methodNames = [
  ...([
    'abs',
    'cast',
    'cos',
    'erf',
    'erfc',
    'exp',
    'floor',
    'isFinite',
    'log',
    'log1p',
    'logicalNot',
  ] as const),
  ...(['neg', 'rsqrt', 'sigmoid', 'sign', 'sin', 'sqrt', 'square', 'tanh'] as const),
  ...(['add', 'sub', 'mul', 'div', 'pow', 'maximum', 'minimum', 'clip', 'logicalAnd', 'logicalOr'] as const),
  ...(['equal', 'notEqual', 'less', 'lessEqual', 'greater', 'greaterEqual', 'where'] as const),
  ...(['sum', 'mean', 'max', 'min', 'argMax'] as const),
  ...(['reshape', 'transpose', 'broadcastTo', 'slice', 'pad', 'reverse', 'expandDims'] as const),
  ...(['dotGeneral', 'matmul', 'conv', 'gather', 'scatterAdd', 'oneHot'] as const),
  ...(['stopGradient', 'optimizationBarrier', 'relu', 'gelu', 'silu', 'softplus'] as const),
  ...(['softmax', 'layerNorm', 'rmsNorm', 'groupNorm', 'attention'] as const),
];

/** The functions without their first argument. */
export type TensorMethods = {
  [K in (typeof methodNames)[number]]: Functions[K] extends (x: never, ...rest: infer Rest) => Tensor
    ? (...rest: Rest) => Tensor
    : never;
};

declare module './tensor.js' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- an interface is what a class can be merged with
  interface Tensor extends TensorMethods {}
}

const functions: Functions = { ...primitives, ...activations, ...attention, ...normalization };

for (const name of methodNames) {
  const f = functions[name] as (x: Tensor, ...rest: never) => Tensor;
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: never) {
      return f(this, ...rest);
    },
    writable: true,
    configurable: true,
  });
}
