/**
 * The kernel table: every node as a kernel that all tfjs backends have. Where a backend's kernel is missing or wrong
 * for some operands, `repairs.ts` says what is done instead.
 */
import { hostArray, sizeOf, type DType, type HostArray, type Shape, type TensorType } from '@meanflow/core';
import { each, type Operands } from '@meanflow/core/backend';
import type { Conv2dWindow, StoredValue } from '../program/program.js';
import { reshaped } from '../schedule.js';
import { withFewAxes } from './broadcasting.js';
import type { Emit, Emitter, NodeKernels } from './emitter.js';
import { broadcastTo, pad, slice } from './movements.js';

type Unary = 'neg' | 'abs' | 'sign' | 'floor' | 'exp' | 'log' | 'log1p' | 'sqrt' | 'rsqrt' | 'sin' | 'cos' | 'tanh' | 'sigmoid' | 'erf' | 'erfc' | 'isFinite' | 'not'; // prettier-ignore
type Binary = 'add' | 'sub' | 'mul' | 'pow' | 'maximum' | 'minimum' | 'equal' | 'less' | 'lessEqual' | 'and' | 'or'; // prettier-ignore

const unary =
  (kernel: string): Emit<Unary> =>
  ({ emitter, inputs: [x], output }) =>
    emitter.kernel(kernel, { x }, output);

function broadcasting(
  emitter: Emitter,
  kernel: string,
  inputs: Operands<2, StoredValue>,
  output: TensorType,
): StoredValue {
  const {
    operands: [a, b],
    shape,
  } = withFewAxes(emitter, inputs, output.shape);
  return reshaped(emitter.kernel(kernel, { a, b }, { dtype: output.dtype, shape }), output.shape);
}

const binary =
  (kernel: string): Emit<Binary> =>
  ({ emitter, inputs, output }) =>
    broadcasting(emitter, kernel, inputs, output);

const zeroOf = (emitter: Emitter, { dtype }: StoredValue) => emitter.scalar(0, dtype);
const isLess = (emitter: Emitter, a: StoredValue, b: StoredValue, shape: Shape) =>
  emitter.node('less', [a, b], {}, { dtype: 'bool', shape });

/** 1 above zero, −1 below; zeros and NaN are their own sign, which tfjs's kernels make 0. */
const sign: Emit<'sign'> = ({ emitter, inputs: [x], output }) => {
  const { shape } = output;
  const zero = zeroOf(emitter, x);
  const [one, minusOne] = [emitter.scalar(1, x.dtype), emitter.scalar(-1, x.dtype)];
  const below = emitter.node('select', [isLess(emitter, x, zero, shape), minusOne, x], {}, output);
  return emitter.node('select', [isLess(emitter, zero, x, shape), one, below], {}, output);
};

/** tfjs's Neg and Abs of int32 go through float32. */
const negateIntegers = (emitter: Emitter, x: StoredValue) =>
  emitter.node('sub', [zeroOf(emitter, x), x], {}, x);

const neg: Emit<'neg'> = (context) =>
  context.output.dtype === 'int32'
    ? negateIntegers(context.emitter, context.inputs[0])
    : unary('Neg')(context);

const abs: Emit<'abs'> = (context) => {
  const { emitter, inputs, output } = context;
  const [x] = inputs;
  if (output.dtype !== 'int32') return unary('Abs')(context);
  const isNegative = isLess(emitter, x, zeroOf(emitter, x), x.shape);
  return emitter.node('select', [isNegative, negateIntegers(emitter, x), x], {}, output);
};

/** The largest float that is an int32; the next is 2³¹. */
const LARGEST = 2 ** 31 - 2 ** 7;

/** To bool is `x ≠ 0`, and floats beyond int32 are the nearest, NaN 0: kernels do there as they please. */
const cast: Emit<'cast'> = (context) => {
  const { emitter, inputs, attributes, output } = context;
  const [x] = inputs;
  const { dtype } = attributes;
  if (x.dtype === 'float32' && dtype === 'int32') return castToInteger(emitter, x, output);
  if (dtype !== 'bool') return emitter.kernel('Cast', { x }, output, { dtype });
  const isZero = emitter.node('equal', [x, zeroOf(emitter, x)], {}, output);
  return emitter.node('not', [isZero], {}, output);
};

function castToInteger(emitter: Emitter, x: StoredValue, output: TensorType): StoredValue {
  const choose = (condition: StoredValue, yes: StoredValue, no: StoredValue, dtype: DType) =>
    emitter.node('select', [condition, yes, no], {}, { dtype, shape: x.shape });
  const magnitude = emitter.node('abs', [x], {}, x);
  const isInside = isLess(emitter, magnitude, emitter.scalar(2 ** 31), x.shape);
  const inside = choose(isInside, x, emitter.scalar(0), 'float32');
  const converted = emitter.kernel('Cast', { x: inside }, output, { dtype: 'int32' });
  const isLow = isLess(emitter, x, emitter.scalar(-LARGEST), x.shape);
  const raised = choose(isLow, emitter.scalar(-(2 ** 31), 'int32'), converted, 'int32');
  const isHigh = isLess(emitter, emitter.scalar(LARGEST), x, x.shape);
  return choose(isHigh, emitter.scalar(2 ** 31 - 1, 'int32'), raised, 'int32');
}

/** Floats divide; integers are told apart by rounding. */
const div: Emit<'div'> = ({ emitter, inputs, output }) =>
  output.dtype === 'int32'
    ? divideIntegers(emitter, inputs, output.shape)
    : broadcasting(emitter, 'RealDiv', inputs, output);

/** The quotient toward zero: that of FloorDiv, plus one where it has a remainder and is negative. */
function divideIntegers(emitter: Emitter, [a, b]: Operands<2, StoredValue>, shape: Shape): StoredValue {
  const int = { dtype: 'int32', shape } as const;
  const bool = { dtype: 'bool', shape } as const;
  const zero = emitter.scalar(0, 'int32');
  const isZero = emitter.node('equal', [b, zero], {}, { ...b, dtype: 'bool' });
  // Dividing by zero makes zero, as in the reference; by one it can do no harm.
  const one = emitter.scalar(1, 'int32');
  const divisor = emitter.node('select', [isZero, one, b], {}, b);
  const floor = broadcasting(emitter, 'FloorDiv', [a, divisor], int);
  const back = emitter.node('mul', [floor, divisor], {}, int);
  const isExact = emitter.node('equal', [back, a], {}, bool);
  const negative = (x: StoredValue) => emitter.node('less', [x, zero], {}, { ...x, dtype: 'bool' });
  const sameSign = emitter.node('equal', [negative(a), negative(divisor)], {}, bool);
  const isDone = emitter.node('or', [isExact, sameSign], {}, bool);
  const raised = emitter.node('add', [floor, one], {}, int);
  const quotient = emitter.node('select', [isDone, floor, raised], {}, int);
  return emitter.node('select', [isZero, zero, quotient], {}, int);
}

/** Select takes operands of one shape. */
const select: Emit<'select'> = ({ emitter, inputs, output }) => {
  const [condition, t, e] = each(inputs, (input) => emitter.broadcast(input, output.shape));
  if (output.dtype === 'bool') {
    // Wasm's kernel takes bools for four bytes each.
    const yes = emitter.node('and', [condition, t], {}, output);
    const no = emitter.node('and', [emitter.node('not', [condition], {}, condition), e], {}, output);
    return emitter.node('or', [yes, no], {}, output);
  }
  return emitter.kernel('Select', { condition, t, e }, output);
};

/** Convolution windows as tfjs's attributes. */
export const convAttributes = ({ strides, padding, dilations }: Conv2dWindow) => ({
  strides,
  dilations,
  pad: [[0, 0], ...padding, [0, 0]],
  dataFormat: 'NHWC',
  dimRoundingMode: undefined,
});

/** Rows `[rows, width]` of a table, and indices `[count]`: the form that tfjs's indexing kernels share. */
const flatRows = (table: StoredValue, rows: number) => reshaped(table, [rows, sizeOf(table.shape) / rows]);

/** The first maximum; kernels overlook NaNs, or find the last. */
const argMax: Emit<'argMax'> = ({ emitter, inputs: [x], attributes: { axis }, output }) => {
  const first = (of: StoredValue) => emitter.kernel('ArgMax', { x: of }, output, { axis });
  if (x.dtype === 'int32') return first(x);
  const bools = { dtype: 'bool', shape: x.shape } as const;
  const isNumber = emitter.node('equal', [x, x], {}, bools);
  const isNaN = emitter.cast(emitter.node('not', [isNumber], {}, bools), 'int32');
  const hasNaN = emitter.node('reduceMax', [isNaN], { axes: [axis] }, output);
  return emitter.node('select', [emitter.cast(hasNaN, 'bool'), first(isNaN), first(x)], {}, output);
};

/** The nearest index in range, and whether it is the given one. */
function inRange(emitter: Emitter, indices: StoredValue, rows: number) {
  const limit = (op: 'minimum' | 'maximum', x: StoredValue, bound: number) =>
    emitter.node(op, [x, emitter.scalar(bound, 'int32')], {}, indices);
  const near = limit('maximum', limit('minimum', indices, rows - 1), 0);
  const isRow = emitter.node('equal', [near, indices], {}, { dtype: 'bool', shape: indices.shape });
  return { near, isRow };
}

const unaries: { readonly [K in Unary]: Emit<K> } = {
  neg,
  abs,
  sign,
  floor: unary('Floor'),
  exp: unary('Exp'),
  log: unary('Log'),
  log1p: unary('Log1p'),
  sqrt: unary('Sqrt'),
  rsqrt: unary('Rsqrt'),
  sin: unary('Sin'),
  cos: unary('Cos'),
  tanh: unary('Tanh'),
  sigmoid: unary('Sigmoid'),
  erf: unary('Erf'),
  // No kernel has it; the CPU, Wasm and WebGPU have functions of their own.
  erfc: ({ emitter, inputs: [x], output }) =>
    emitter.node('sub', [emitter.scalar(1), emitter.node('erf', [x], {}, x)], {}, output),
  isFinite: unary('IsFinite'),
  not: unary('LogicalNot'),
};

const binaries: { readonly [K in Binary]: Emit<K> } = {
  add: binary('Add'),
  sub: binary('Sub'),
  mul: binary('Multiply'),
  pow: binary('Pow'),
  maximum: binary('Maximum'),
  minimum: binary('Minimum'),
  equal: binary('Equal'),
  less: binary('Less'),
  lessEqual: binary('LessEqual'),
  and: binary('LogicalAnd'),
  or: binary('LogicalOr'),
};

export const kernels: NodeKernels = {
  ...unaries,
  ...binaries,
  div,
  select,

  constant: ({ emitter, attributes: { value }, output }) => emitter.schedule.constant(value, output.dtype),
  iota: ({ emitter, attributes: { dtype, shape, axis } }) => {
    const line = shape.map((n, a) => (a === axis ? n : 1));
    const coordinates = Array.from({ length: shape[axis]! }, (_, i) => i);
    const values = hostArray<'float32' | 'int32'>(coordinates, { dtype, shape: line });
    return emitter.broadcast(emitter.schedule.constant(values as HostArray), shape);
  },
  cast,

  reduceSum: ({ emitter, inputs: [x], attributes: { axes }, output }) =>
    emitter.kernel('Sum', { x }, output, { axis: axes, keepDims: false }),
  reduceMax: ({ emitter, inputs: [x], attributes: { axes }, output }) =>
    emitter.kernel('Max', { x }, output, { reductionIndices: axes, keepDims: false }),
  argMax,

  transpose: ({ emitter, inputs: [x], attributes: { permutation }, output }) =>
    emitter.kernel('Transpose', { x }, output, { perm: permutation }),
  broadcastTo,
  slice,
  pad,
  concat: ({ emitter, inputs, attributes: { axis }, output }) => {
    const outer = sizeOf(output.shape.slice(0, axis));
    const flat = inputs.map((input) => reshaped(input, [outer, sizeOf(input.shape.slice(axis))]));
    const shape = [outer, sizeOf(output.shape.slice(axis))];
    return reshaped(
      emitter.kernel('Concat', flat, { dtype: output.dtype, shape }, { axis: 1 }),
      output.shape,
    );
  },
  reverse: ({ emitter, inputs: [x], attributes: { axes }, output }) =>
    emitter.kernel('Reverse', { x }, output, { dims: axes }),

  matMul: ({ emitter, inputs: [a, b], attributes: { transposeLhs, transposeRhs }, output }) =>
    emitter.kernel('BatchMatMul', { a, b }, output, { transposeA: transposeLhs, transposeB: transposeRhs }),
  conv2d: ({ emitter, inputs: [x, filter], attributes, output }) =>
    emitter.kernel('Conv2D', { x, filter }, output, convAttributes(attributes)),
  depthwiseConv2d: ({ emitter, inputs: [x, filter], attributes, output }) =>
    emitter.kernel('DepthwiseConv2dNative', { x, filter }, output, convAttributes(attributes)),

  gather: ({ emitter, inputs: [table, indices], attributes: { fill }, output }) => {
    const x = flatRows(table, table.shape[0]!);
    const count = sizeOf(indices.shape);
    const rows = { dtype: output.dtype, shape: [count, x.shape[1]!] };
    const { near, isRow } = inRange(emitter, reshaped(indices, [count]), table.shape[0]!);
    const found = emitter.kernel('GatherV2', { x, indices: near }, rows, { axis: 0, batchDims: 0 });
    const missing = emitter.scalar(fill, output.dtype);
    return emitter.node('select', [reshaped(isRow, [count, 1]), found, missing], {}, rows);
  },
  scatterAdd: ({ emitter, inputs: [updates, indices], attributes: { rows }, output }) => {
    const count = sizeOf(indices.shape);
    const shape = [rows, sizeOf(output.shape) / rows];
    const { near, isRow } = inRange(emitter, reshaped(indices, [count, 1]), rows);
    const flat = flatRows(updates, count);
    const kept = emitter.node('select', [isRow, flat, emitter.scalar(0)], {}, flat);
    const operands = { indices: near, updates: kept };
    return emitter.kernel('ScatterNd', operands, { dtype: output.dtype, shape }, { shape });
  },

  // `(x, after) → x`: the same storage, held back until `after` exists.
  optimizationBarrier: ({ emitter, inputs, output }) => {
    const result = emitter.schedule.value(output);
    emitter.step('optimizationBarrier', inputs, result, ([x]) => emitter.share(x));
    return result;
  },
};
