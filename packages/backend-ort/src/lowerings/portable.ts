/**
 * Lowerings from the operators that every GPU provider has. Where a row of the table replaces the general one, the
 * reason stands beside it; "none" means that ONNX Runtime 1.30's WebGPU provider has no kernel, so that the node would
 * go to the CPU and its operands with it. Nothing here needs int64 values, which WebGPU has not either.
 */
import { sameShape, sizeOf, type OpName, type TensorType } from '@meanflow/core';
import type { ValueName } from '../onnx/model.js';
import type { ModelBuilder } from '../onnx/model-builder.js';
import { convolution } from './conv.js';
import { contraction } from './dot.js';
import { castTo } from './elementwise.js';
import { scatterAddByProduct } from './indexing.js';
import type { Lowering, LoweringContext, Lowerings, Operand } from './lowering.js';
import { reduce, reduceMax } from './reductions.js';
import { cos, exp, log, sigmoid, sin } from './portable-functions.js';
import { concat, pad, reverse, slice, transpose } from './shaping.js';

type Context<K extends OpName> = Pick<LoweringContext<K>, 'builder' | 'inputs'>;

/** As 0 and 1, for what is not there for bools. */
const asNumbers = (builder: ModelBuilder, x: Operand): Operand => ({
  ...x,
  dtype: 'int32',
  name: castTo(builder, x.name, 'int32'),
});

/** A lowering that takes bools as 0 and 1. */
const throughNumbers =
  <K extends OpName>(lowering: Lowering<K>): Lowering<K> =>
  (context) => {
    const { builder, inputs, output } = context;
    if (output.dtype !== 'bool') return lowering(context);
    const numbers = inputs.map((x) => asNumbers(builder, x));
    const result = lowering({ ...context, inputs: numbers, output: { ...output, dtype: 'int32' } });
    return castTo(builder, result, 'bool');
  };

/** −1, 0 or 1 by comparison; NaN stays. */
const sign = ({ builder, inputs: [x] }: Context<'sign'>): ValueName => {
  const number = (value: number) => builder.scalar(x.dtype, value);
  const below = builder.node('Less', [x.name, number(0)]);
  const above = builder.node('Less', [number(0), x.name]);
  const zero =
    x.dtype === 'float32'
      ? builder.node('Where', [builder.node('Equal', [x.name, x.name]), number(0), x.name])
      : number(0);
  const signed = builder.node('Where', [below, number(-1), zero]);
  return builder.node('Where', [above, number(1), signed]);
};

const neg: Lowering<'neg'> = ({ builder, inputs: [x] }) =>
  x.dtype === 'float32'
    ? builder.node('Neg', [x.name])
    : builder.node('Sub', [builder.scalar('int32', 0), x.name]);

const abs: Lowering<'abs'> = ({ builder, inputs: [x] }) => {
  if (x.dtype === 'float32') return builder.node('Abs', [x.name]);
  const negated = builder.node('Sub', [builder.scalar('int32', 0), x.name]);
  return builder.node('Max', [x.name, negated]);
};

/** The operands in the result's shape. */
const spread = (builder: ModelBuilder, inputs: readonly Operand[], { shape }: TensorType): ValueName[] =>
  inputs.map((x) =>
    sameShape(x.shape, shape) ? x.name : builder.node('Expand', [x.name, builder.ints(shape)]),
  );

const and: Lowering<'and'> = ({ builder, inputs, output }) =>
  builder.node('And', spread(builder, inputs, output));

/** ¬(¬x ∧ ¬y). */
const or: Lowering<'or'> = ({ builder, inputs, output }) => {
  const [x, y] = spread(builder, inputs, output).map((name) => builder.node('Not', [name]));
  return builder.node('Not', [builder.node('And', [x, y])]);
};

/**
 * NaN where an operand is, but for NaN⁰ and 1^NaN, which are 1; and where a finite negative number has an exponent
 * that is not whole, to which WebGPU gives the power of its magnitude. Infinite where zero has a negative exponent, to
 * which it may give 0.
 */
const pow: Lowering<'pow'> = ({ builder, inputs, output }) => {
  const [x, y] = spread(builder, inputs, output);
  const equal = (a: ValueName, b: ValueName) => builder.node('Equal', [a, b]);
  const number = (value: number) => builder.scalar('float32', value);
  const isNumber = builder.node('And', [equal(x, x), equal(y, y)]);
  const isNegative = builder.node('And', [
    builder.node('Less', [x, number(0)]),
    builder.node('Less', [number(-Infinity), x]),
  ]);
  const isWhole = equal(y, builder.node('Floor', [y]));
  const isFractional = builder.node('Not', [isWhole]);
  const isReal = builder.node('And', [
    isNumber,
    builder.node('Not', [builder.node('And', [isNegative, isFractional])]),
  ]);
  const isPole = builder.node('And', [equal(x, number(0)), builder.node('Less', [y, number(0)])]);
  const half = builder.node('Mul', [y, number(0.5)]);
  const isEven = equal(half, builder.node('Floor', [half]));
  const isOdd = builder.node('And', [isWhole, builder.node('Not', [isEven])]);
  const reciprocal = builder.node('Div', [number(1), x]);
  const pole = builder.node('Where', [isOdd, reciprocal, builder.node('Abs', [reciprocal])]);
  const finite = builder.node('Where', [isPole, pole, builder.node('Pow', [x, y])]);
  const power = builder.node('Where', [isReal, finite, number(NaN)]);
  const isOne = builder.node('Where', [equal(x, number(1)), equal(x, x), equal(y, number(0))]);
  return builder.node('Where', [isOne, number(1), power]);
};

const equal: Lowering<'equal'> = ({ builder, inputs }) => {
  const operands = inputs.map((x) => (x.dtype === 'bool' ? asNumbers(builder, x) : x));
  return builder.node(
    'Equal',
    operands.map(({ name }) => name),
  );
};

const select: Lowering<'select'> = ({ builder, inputs, output }) =>
  builder.node(
    'Where',
    output.dtype === 'bool' ? spread(builder, inputs, output) : inputs.map(({ name }) => name),
  );

/** Elements of `x` along one axis, by their places. */
function take(builder: ModelBuilder, x: ValueName, axis: number, places: readonly number[]): ValueName {
  const indices = builder.constant('int32', [places.length], places);
  return builder.node('Gather', [x, indices], { attributes: { axis: BigInt(axis) } });
}

const range = (start: number, limit: number, step: number): number[] =>
  Array.from({ length: Math.max(0, Math.ceil((limit - start) / step)) }, (_, i) => start + i * step);

const sliceByIndex: Lowering<'slice'> = (context) => {
  const { builder, inputs, attributes, output } = context;
  const [x] = inputs;
  if (x.dtype === 'float32') return slice(context);
  const { starts, limits, strides } = attributes;
  return x.shape.reduce(
    (name, size, axis) =>
      size === output.shape[axis]
        ? name
        : take(builder, name, axis, range(starts[axis], limits[axis], strides[axis])),
    x.name,
  );
};

const reverseByIndex: Lowering<'reverse'> = (context) => {
  const { builder, inputs, attributes } = context;
  const [x] = inputs;
  if (x.dtype === 'float32') return reverse(context);
  return attributes.axes.reduce(
    (name, axis) => take(builder, name, axis, range(0, x.shape[axis], 1).reverse()),
    x.name,
  );
};

const reduceSum: Lowering<'reduceSum'> = ({ builder, inputs: [x], attributes: { axes } }) =>
  reduce(builder, 'ReduceSum', x.name, axes);

/** The first place of the largest element along an axis; a NaN is the largest of all. */
const argMax: Lowering<'argMax'> = ({ builder, inputs: [x], attributes: { axis } }) => {
  const line = x.shape.map((size, a) => (a === axis ? size : 1));
  // Counted back from behind the last, so that 0 stands for an element that is not the largest.
  const size = x.shape[axis];
  const places = builder.constant('int32', line, range(-size, 0, 1));
  const along = { attributes: { keepdims: 1n } };
  const axes = builder.ints([axis]);
  const maximum = builder.node('ReduceMax', [x.name, axes], along);
  let isLargest = castTo(builder, builder.node('Equal', [x.name, maximum]), 'int32');
  if (x.dtype === 'float32') {
    // Where there are NaNs they alone count.
    const isNumber = castTo(builder, builder.node('Equal', [x.name, x.name]), 'int32');
    const allNumbers = builder.node('ReduceMin', [isNumber, axes], along);
    const isNaN = builder.node('Sub', [builder.scalar('int32', 1), isNumber]);
    isLargest = builder.node('Add', [builder.node('Mul', [isLargest, allNumbers]), isNaN]);
  }
  const candidates = builder.node('Mul', [isLargest, places]);
  const first = builder.node('ReduceMin', [candidates, axes], { attributes: { keepdims: 0n } });
  return builder.node('Add', [first, builder.scalar('int32', size)]);
};

/**
 * `(x, after) → x`: a choice between `x` and `x`, by an element of `after`. ONNX Runtime does not look whether the two
 * are the same, so that what follows is another value to it than what follows `x`.
 */
const optimizationBarrier: Lowering<'optimizationBarrier'> = ({ builder, inputs: [x, after] }) => {
  if (sizeOf(after.shape) === 0) return x.name;
  const flat = builder.node('Reshape', [after.name, builder.ints([-1])]);
  const element = builder.node('Gather', [flat, builder.constant('int32', [], [0])], {
    attributes: { axis: 0n },
  });
  return builder.node('Where', [castTo(builder, element, 'bool'), x.name, x.name]);
};

/** Rows of the general table that are replaced. */
export const portable = {
  sign, // none
  neg, // none for integers
  abs, // none for integers
  exp, // NaN
  sigmoid, // NaN
  log, // NaN, infinity, zeros
  sin, // accuracy
  cos, // accuracy
  pow, // NaN; fails where both operands broadcast
  and, // wrong where both operands broadcast
  or, // none
  equal, // none for bools
  select, // And and Or in the general table, Where here; it fails where bools broadcast
  transpose: throughNumbers(transpose), // none for bools
  pad: throughNumbers(pad), // none for bools
  concat: throughNumbers(concat), // none for bools
  slice: sliceByIndex, // floats only
  reverse: reverseByIndex, // floats only
  reduceSum, // no int64; the sum of int32 wraps as it should
  reduceMax: reduceMax((builder, x) => builder.node('Not', [builder.node('Equal', [x, x])])), // no IsNaN
  argMax, // returns int64
  dotGeneral: contraction('transpose'), // no FusedMatMul
  conv: convolution({ maxTransposed: 2, maxGrouped: 2 }), // three spatial axes without groups, and no ConvTranspose
  scatterAdd: scatterAddByProduct, // no If; ScatterElements adds in no fixed order
  optimizationBarrier, // int64 arithmetic
} satisfies Partial<Lowerings>;
