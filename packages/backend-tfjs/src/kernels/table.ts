/**
 * The kernel table: every node as a kernel that all tfjs backends have. Where a backend's kernel is missing or wrong
 * for some operands, `repairs.ts` says what is done instead.
 */
import { hostArray, sizeOf, type HostArray, type Shape } from '@meanflow/core';
import type { Conv2dWindow, StoredValue } from '../program/program.js';
import { reshaped } from '../schedule.js';
import type { Emit, Emitter, NodeKernels } from './emitter.js';

type Unary = 'neg' | 'abs' | 'sign' | 'floor' | 'exp' | 'log' | 'sqrt' | 'rsqrt' | 'sin' | 'cos' | 'tanh' | 'sigmoid' | 'erf' | 'isFinite' | 'not'; // prettier-ignore
type Binary = 'add' | 'sub' | 'mul' | 'pow' | 'maximum' | 'minimum' | 'equal' | 'less' | 'lessEqual' | 'and' | 'or'; // prettier-ignore

const unary =
  (kernel: string): Emit<Unary> =>
  ({ emitter, inputs: [x], output }) =>
    emitter.kernel(kernel, { x }, output);

const binary =
  (kernel: string): Emit<Binary> =>
  ({ emitter, inputs: [a, b], output }) =>
    emitter.kernel(kernel, { a, b }, output);

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

/** To bool is `x ≠ 0`; the kernels truncate first, or not, as they please. */
const cast: Emit<'cast'> = ({ emitter, inputs: [x], attributes: { dtype }, output }) => {
  if (dtype !== 'bool') return emitter.kernel('Cast', { x }, output, { dtype });
  const isZero = emitter.node('equal', [x, zeroOf(emitter, x)], {}, output);
  return emitter.node('not', [isZero], {}, output);
};

/** Floats divide; integers are told apart by rounding. */
const div: Emit<'div'> = ({ emitter, inputs, output }) =>
  output.dtype === 'int32'
    ? divideIntegers(emitter, inputs, output.shape)
    : divideFloats(emitter, inputs, output.shape);

const divideFloats = (emitter: Emitter, [a, b]: readonly StoredValue[], shape: Shape) =>
  emitter.kernel('RealDiv', { a, b }, { dtype: 'float32', shape });

/** The quotient toward zero: that of FloorDiv, plus one where it has a remainder and is negative. */
function divideIntegers(emitter: Emitter, [a, b]: readonly StoredValue[], shape: Shape): StoredValue {
  const int = { dtype: 'int32', shape } as const;
  const bool = { dtype: 'bool', shape } as const;
  const zero = emitter.scalar(0, 'int32');
  const isZero = emitter.node('equal', [b, zero], {}, { ...b, dtype: 'bool' });
  // Dividing by zero makes zero, as in the reference; by one it can do no harm.
  const one = emitter.scalar(1, 'int32');
  const divisor = emitter.node('select', [isZero, one, b], {}, b);
  const floor = emitter.kernel('FloorDiv', { a, b: divisor }, int);
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
  const [condition, t, e] = inputs.map((input) => emitter.broadcast(input, output.shape));
  if (output.dtype === 'bool') {
    // Wasm's kernel takes bools for four bytes each.
    const yes = emitter.node('and', [condition, t], {}, output);
    const no = emitter.node('and', [emitter.node('not', [condition], {}, condition), e], {}, output);
    return emitter.node('or', [yes, no], {}, output);
  }
  return emitter.kernel('Select', { condition, t, e }, output);
};

/** Axes of size one, in front, so that the operand has the rank of the result. */
const alignedTo = (shape: Shape, rank: number): number[] => [
  ...new Array<number>(rank - shape.length).fill(1),
  ...shape,
];

const broadcastTo: Emit<'broadcastTo'> = ({ emitter, inputs: [x], attributes: { shape }, output }) => {
  const aligned = reshaped(x, alignedTo(x.shape, shape.length));
  const reps = shape.map((n, axis) => (aligned.shape[axis] === n ? 1 : n));
  return emitter.kernel('Tile', { x: aligned }, output, { reps });
};

const slice: Emit<'slice'> = ({ emitter, inputs: [x], attributes: { starts, limits, strides }, output }) => {
  if (strides.every((stride) => stride === 1)) {
    const size = limits.map((limit, axis) => limit - starts[axis]);
    return emitter.kernel('Slice', { x }, output, { begin: starts, size });
  }
  return stepped(emitter, x, starts, strides, output.shape);
};

/**
 * A slice with steps, from kernels that have none: whole steps are cut out (with zeros behind the last where the axis
 * ends too early), and of each the first element is kept.
 */
function stepped(
  emitter: Emitter,
  x: StoredValue,
  starts: readonly number[],
  strides: readonly number[],
  shape: Shape,
): StoredValue {
  const { dtype } = x;
  const whole = shape.map((n, axis) => n * strides[axis]);
  const high = whole.map((n, axis) => Math.max(0, starts[axis] + n - x.shape[axis]));
  const none = high.map(() => 0);
  const padded = high.every((n) => n === 0)
    ? x
    : emitter.node('pad', [x], { low: none, high, interior: none }, {
        dtype,
        shape: x.shape.map((n, axis) => n + high[axis]),
      }); // prettier-ignore
  const cut = emitter.node(
    'slice',
    [padded],
    { starts, limits: whole.map((n, axis) => n + starts[axis]), strides: none.map(() => 1) },
    { dtype, shape: whole },
  );
  // One axis at a time, so that no kernel sees more than three.
  let result = cut;
  let current = whole;
  for (const [axis, stride] of strides.entries()) {
    if (stride === 1) continue;
    const outer = sizeOf(current.slice(0, axis)) * shape[axis];
    const inner = sizeOf(current.slice(axis + 1));
    const begin = [0, 0, 0];
    result = emitter.kernel('Slice', { x: reshaped(result, [outer, stride, inner]) }, { dtype, shape: [outer, 1, inner] }, {
      begin, size: [outer, 1, inner],
    }); // prettier-ignore
    current = current.map((n, a) => (a === axis ? shape[axis] : n));
  }
  return reshaped(result, shape);
}

const pad: Emit<'pad'> = ({ emitter, inputs: [x], attributes: { low, high, interior }, output }) => {
  if (x.dtype === 'bool') {
    const asInt = emitter.cast(x, 'int32');
    const padded = emitter.node('pad', [asInt], { low, high, interior }, { ...output, dtype: 'int32' });
    return emitter.cast(padded, 'bool');
  }
  const { dtype } = x;
  let current = x;
  let after = high;
  if (interior.some((gap) => gap > 0)) {
    // Zeros behind every element along a new axis; those behind the last are taken off the padding, or cropped.
    for (const [axis, gap] of interior.entries()) {
      if (gap === 0) continue;
      const [outer, inner] = [
        sizeOf(current.shape.slice(0, axis + 1)),
        sizeOf(current.shape.slice(axis + 1)),
      ];
      const spread = emitter.kernel('PadV2', { x: reshaped(current, [outer, 1, inner]) }, { dtype, shape: [outer, 1 + gap, inner] }, {
        paddings: [[0, 0], [0, gap], [0, 0]], constantValue: 0,
      }); // prettier-ignore
      current = reshaped(
        spread,
        current.shape.map((n, a) => (a === axis ? n * (1 + gap) : n)),
      );
    }
    const surplus = interior.map((gap, axis) => Math.max(0, gap - high[axis]));
    after = high.map((n, axis) => Math.max(0, n - interior[axis]));
    if (surplus.some((n) => n > 0)) {
      const limits = current.shape.map((n, axis) => n - surplus[axis]);
      const starts = limits.map(() => 0);
      const strides = limits.map(() => 1);
      current = emitter.node('slice', [current], { starts, limits, strides }, { dtype, shape: limits });
    }
  }
  if ([...low, ...after].every((n) => n === 0)) return current;
  const paddings = low.map((n, axis) => [n, after[axis]]);
  return emitter.kernel('PadV2', { x: current }, output, { paddings, constantValue: 0 });
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

const unaries: { readonly [K in Unary]: Emit<K> } = {
  neg,
  abs,
  sign,
  floor: unary('Floor'),
  exp: unary('Exp'),
  log: unary('Log'),
  sqrt: unary('Sqrt'),
  rsqrt: unary('Rsqrt'),
  sin: unary('Sin'),
  cos: unary('Cos'),
  tanh: unary('Tanh'),
  sigmoid: unary('Sigmoid'),
  erf: unary('Erf'),
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

  constant: ({ emitter, attributes: { value } }) => emitter.schedule.constant(value),
  iota: ({ emitter, attributes: { dtype, shape, axis } }) => {
    const line = shape.map((n, a) => (a === axis ? n : 1));
    const coordinates = Array.from({ length: shape[axis] }, (_, i) => i);
    const values = hostArray<'float32' | 'int32'>(coordinates, { dtype, shape: line });
    return emitter.broadcast(emitter.schedule.constant(values as HostArray), shape);
  },
  cast,

  reduceSum: ({ emitter, inputs: [x], attributes: { axes }, output }) =>
    emitter.kernel('Sum', { x }, output, { axis: axes, keepDims: false }),
  reduceMax: ({ emitter, inputs: [x], attributes: { axes }, output }) =>
    emitter.kernel('Max', { x }, output, { reductionIndices: axes, keepDims: false }),
  argMax: ({ emitter, inputs: [x], attributes: { axis }, output }) =>
    emitter.kernel('ArgMax', { x }, output, { axis }),

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

  gather: ({ emitter, inputs: [table, indices], output }) => {
    const x = flatRows(table, table.shape[0]);
    const count = sizeOf(indices.shape);
    const rows = { dtype: output.dtype, shape: [count, x.shape[1]] };
    const flat = reshaped(indices, [count]);
    return emitter.kernel('GatherV2', { x, indices: flat }, rows, { axis: 0, batchDims: 0 });
  },
  scatterAdd: ({ emitter, inputs: [updates, indices], attributes: { rows }, output }) => {
    const count = sizeOf(indices.shape);
    const shape = [rows, sizeOf(output.shape) / rows];
    const operands = { indices: reshaped(indices, [count, 1]), updates: flatRows(updates, count) };
    return emitter.kernel('ScatterNd', operands, { dtype: output.dtype, shape }, { shape });
  },

  // `(x, after) → x`: the same storage, held back until `after` exists.
  optimizationBarrier: ({ emitter, inputs, output }) => {
    const result = emitter.schedule.value(output);
    emitter.step('optimizationBarrier', inputs, result, ([x]) => emitter.share(x));
    return result;
  },
};
