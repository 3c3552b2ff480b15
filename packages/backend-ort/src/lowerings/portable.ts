/**
 * Lowerings from the operators that every GPU provider has. Where a row of the table replaces the general one, the
 * reason stands beside it; "none" means that ONNX Runtime 1.30's WebGPU provider has no kernel, so that the node would
 * go to the CPU and its operands with it. Nothing here needs int64 values, which WebGPU has not either.
 */
import { sameShape, sizeOf, type TensorType } from '@meanflow/core';
import { each, type PrimitiveName } from '@meanflow/core/backend';
import type { ValueName } from '../onnx/model.js';
import type { ModelBuilder } from '../onnx/model-builder.js';
import { convolution } from './conv.js';
import { contraction } from './dot.js';
import { castTo } from './elementwise.js';
import { gather, scatterAddByProduct } from './indexing.js';
import type { Lowering, LoweringContext, Lowerings, Operand } from './lowering.js';
import { portableReduceMax, reduce } from './reductions.js';
import {
  cos,
  erf,
  erfc,
  exp,
  log,
  log1p,
  sigmoid,
  sin,
  SMALLEST_NORMAL,
  tanh,
} from './portable-functions.js';
import { concat, pad, reverse, slice, transpose } from './shaping.js';

type Context<K extends PrimitiveName> = Pick<LoweringContext<K>, 'builder' | 'inputs'>;

/** As 0 and 1, for what is not there for bools. */
const asNumbers = (builder: ModelBuilder, x: Operand): Operand => ({
  ...x,
  dtype: 'int32',
  name: castTo(builder, x.name, 'int32'),
});

/** A lowering that takes bools as 0 and 1. @param each changes every operand */
const throughNumbers =
  <K extends PrimitiveName>(
    lowering: Lowering<K>,
    each: (
      inputs: LoweringContext<K>['inputs'],
      change: (x: Operand) => Operand,
    ) => LoweringContext<K>['inputs'],
  ): Lowering<K> =>
  (context) => {
    const { builder, inputs, output } = context;
    if (output.dtype !== 'bool') return lowering(context);
    const numbers = each(inputs, (x) => asNumbers(builder, x));
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
const spread = <const Inputs extends readonly Operand[]>(
  builder: ModelBuilder,
  inputs: Inputs,
  { shape }: TensorType,
) =>
  each(inputs, (x) =>
    sameShape(x.shape, shape) ? x.name : builder.node('Expand', [x.name, builder.ints(shape)]),
  );

const and: Lowering<'and'> = ({ builder, inputs, output }) =>
  builder.node('And', spread(builder, inputs, output));

/** ¬(¬x ∧ ¬y). */
const or: Lowering<'or'> = ({ builder, inputs, output }) => {
  const [x, y] = each(spread(builder, inputs, output), (name) => builder.node('Not', [name]));
  return builder.node('Not', [builder.node('And', [x, y])]);
};

/**
 * The power of the magnitude, to which WebGPU's is reduced, and what C makes of the rest: x⁰ and 1ʸ are 1, and (±1) to an
 * infinity; NaN where else an operand is one, and where a finite negative number has an exponent that is not whole;
 * infinite where zero has a negative exponent; of the sign of x where the exponent is odd. Denormal bases are zeros.
 */
const pow: Lowering<'pow'> = ({ builder, inputs, output }) => {
  const [given, y] = spread(builder, inputs, output);
  const node = (op: string, ...operands: ValueName[]) => builder.node(op, operands);
  const number = (value: number) => builder.scalar('float32', value);
  const magnitude = node('Abs', given);
  const isDenormal = node('Less', magnitude, number(SMALLEST_NORMAL));
  const size = node('Where', isDenormal, number(0), magnitude);
  const isZero = node('Equal', size, number(0));
  // −0 shows in its reciprocal alone.
  const isNegative = node('Less', node('Where', isZero, node('Div', number(1), given), given), number(0));
  const isWhole = node('Equal', y, node('Floor', y));
  const half = node('Mul', y, number(0.5));
  const isOdd = node('And', isWhole, node('Not', node('Equal', half, node('Floor', half))));
  const pole = node('Where', node('Less', y, number(0)), number(Infinity), number(0));
  const power = node('Where', isZero, pole, node('Pow', size, y));
  const signed = node('Where', node('And', isNegative, isOdd), node('Neg', power), power);
  const isReal = node('And', node('Equal', size, size), node('Equal', y, y));
  const isRoot = node('And', isNegative, node('Not', isWhole));
  const isFinite = node('And', node('Less', size, number(Infinity)), node('Less', number(0), size));
  const isComplex = node('And', isRoot, isFinite);
  const real = node('Where', node('And', isReal, node('Not', isComplex)), signed, number(NaN));
  const isInfinite = node('Equal', node('Abs', y), number(Infinity));
  const isUnit = node('And', node('Equal', size, number(1)), isInfinite);
  const choose = (condition: ValueName, otherwise: ValueName) =>
    node('Where', condition, number(1), otherwise);
  return choose(isUnit, choose(node('Equal', y, number(0)), choose(node('Equal', given, number(1)), real)));
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
        : take(builder, name, axis, range(starts[axis]!, limits[axis]!, strides[axis]!)),
    x.name,
  );
};

const reverseByIndex: Lowering<'reverse'> = (context) => {
  const { builder, inputs, attributes } = context;
  const [x] = inputs;
  if (x.dtype === 'float32') return reverse(context);
  return attributes.axes.reduce(
    (name, axis) => take(builder, name, axis, range(0, x.shape[axis]!, 1).reverse()),
    x.name,
  );
};

const reduceSum: Lowering<'reduceSum'> = ({ builder, inputs: [x], attributes: { axes } }) =>
  reduce(builder, 'ReduceSum', x.name, axes);

/** The first place of the largest element along an axis; a NaN is the largest of all. */
const argMax: Lowering<'argMax'> = ({ builder, inputs: [x], attributes: { axis } }) => {
  const line = x.shape.map((size, a) => (a === axis ? size : 1));
  // Counted back from behind the last, so that 0 stands for an element that is not the largest.
  const size = x.shape[axis]!;
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
  log1p, // by log
  tanh, // near 0
  erf, // near 0
  erfc, // by exp
  sin, // accuracy
  cos, // accuracy
  pow, // NaN, signs; fails where both operands broadcast
  and, // wrong where both operands broadcast
  or, // none
  equal, // none for bools
  select, // And and Or in the general table, Where here; it fails where bools broadcast
  transpose: throughNumbers(transpose, ([x], change) => [change(x)]), // none for bools
  pad: throughNumbers(pad, ([x], change) => [change(x)]), // none for bools
  concat: throughNumbers(concat, (parts, change) => parts.map(change)), // none for bools
  slice: sliceByIndex, // floats only
  reverse: reverseByIndex, // floats only
  reduceSum, // no int64; the sum of int32 wraps as it should
  reduceMax: portableReduceMax, // no IsNaN
  argMax, // returns int64
  dotGeneral: contraction('transpose'), // no FusedMatMul
  conv: convolution({ maxTransposed: 2, maxGrouped: 2 }), // three spatial axes without groups, and no ConvTranspose
  gather: gather(select), // as select
  scatterAdd: scatterAddByProduct, // no If; ScatterElements adds in no fixed order
  optimizationBarrier, // int64 arithmetic
} satisfies Partial<Lowerings>;
