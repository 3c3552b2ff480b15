/**
 * The algebraic rewrites of `simplify`, one small function per op. Each looks at an instruction and the instructions
 * that made its operands, and gives a shorter way to the same value, or `undefined`. NaN and infinite operands give what
 * they gave before: 0 · x, x − x and x / x are not taken for numbers. A zero may change its sign, and with it the sign
 * of what is divided by it. Merging constant factors, or sums, changes rounding, and may spare an overflow on the way.
 */
import { freeAxes } from './ops/dot.js';
import type { DotDimensions, PrimitiveAttributes, PrimitiveName } from './ops/attributes.js';
import { broadcastShapes } from './ops/broadcasting.js';
import { addRule, mulRule, negRule, reduceSumRule } from './simplify-arithmetic.js';
import {
  carriesShape,
  madeBy,
  repeated,
  uniformValue,
  type Emit,
  type Rule,
  type RuleContext,
} from './simplify-rule.js';
import type { Tensor } from './tensor.js';
import { sameShape, sizeOf, type Shape } from './types.js';

/** A rule of an op of which it is not known which it is. */
type AnyRule = (inputs: readonly Tensor[], attributes: unknown, context: RuleContext) => Tensor | undefined;

/** A shorter way to the same value, or `undefined`. */
export function rewrite<K extends PrimitiveName>(
  op: K,
  inputs: readonly Tensor[],
  attributes: PrimitiveAttributes[K],
  context: RuleContext,
): Tensor | undefined {
  const rule = rules[op] as AnyRule | undefined;
  return (
    rule?.(inputs, attributes, context) ??
    (ELEMENTWISE.has(op) ? narrow(op, inputs, attributes, context.emit) : undefined)
  );
}

const ELEMENTWISE = new Set<PrimitiveName>([
  'neg', 'abs', 'sign', 'floor', 'exp', 'log', 'log1p', 'sqrt', 'rsqrt', 'sin', 'cos', 'tanh', 'sigmoid', 'erf', 'erfc', 'isFinite', 'not', 'cast',
  'add', 'sub', 'mul', 'div', 'pow', 'maximum', 'minimum', 'equal', 'less', 'lessEqual', 'and', 'or', 'select',
]); // prettier-ignore

/**
 * Elementwise ops broadcast by themselves: an operand that was repeated only to fit is taken as it was, and an op
 * whose operands were all repeated runs before the repetition.
 */
function narrow<K extends PrimitiveName>(
  op: K,
  inputs: readonly Tensor[],
  attributes: PrimitiveAttributes[K],
  emit: Emit,
): Tensor | undefined {
  const sources = inputs.map((input) => repeated(input, emit));
  if (sources.every((source, i) => source === inputs[i])) return undefined;
  const full = broadcastShapes(inputs.map(({ shape }) => shape));
  const small = broadcastShapes(sources.map(({ shape }) => shape));
  const result = emit(op, sources, attributes);
  return sameShape(full, small) ? result : emit('broadcastTo', [result], { shape: full });
}

/** One element repeated, under another shape: the element repeated to that shape. */
function repeatAgain(x: Tensor, shape: Shape, emit: Emit): Tensor | undefined {
  const source = madeBy(x, 'broadcastTo')?.inputs[0];
  if (source === undefined || sizeOf(source.shape) !== 1) return undefined;
  return emit('broadcastTo', [emit('reshape', [source], { shape: [] })], { shape });
}

const isIdentity = (permutation: readonly number[]): boolean => permutation.every((axis, i) => axis === i);

/** Axes of size 1 may move freely without moving an element. */
const movesNothing = (shape: Shape, permutation: readonly number[]): boolean => {
  const long = permutation.filter((axis) => shape[axis] !== 1);
  return long.every((axis, i) => i === 0 || axis > long[i - 1]!);
};

/** One operand of a contraction with a transposition folded into the axis numbers, when free axes keep their order. */
function foldTranspose(operand: Tensor, batch: readonly number[], contracting: readonly number[]) {
  const transposed = madeBy(operand, 'transpose');
  if (transposed === undefined) return undefined;
  const { permutation } = transposed.attributes;
  const free = freeAxes(operand.rank, batch, contracting).map((axis) => permutation[axis]!);
  if (!free.every((axis, i) => i === 0 || axis > free[i - 1]!)) return undefined;
  const rename = (axes: readonly number[]) => axes.map((axis) => permutation[axis]!);
  return { operand: transposed.inputs[0], batch: rename(batch), contracting: rename(contracting) };
}

/** A transposition that only exchanges the free axes of a contraction exchanges its operands instead. */
function swapContraction(x: Tensor, permutation: readonly number[], emit: Emit): Tensor | undefined {
  const dot = madeBy(x, 'dotGeneral');
  if (dot === undefined) return undefined;
  const [lhs, rhs] = dot.inputs;
  const d = dot.attributes;
  const batch = d.lhsBatch.length;
  const leftFree = lhs.rank - batch - d.lhsContracting.length;
  const rightFree = rhs.rank - batch - d.rhsContracting.length;
  const range = (start: number, count: number) => Array.from({ length: count }, (_, i) => start + i);
  const exchange = [...range(0, batch), ...range(batch + leftFree, rightFree), ...range(batch, leftFree)];
  if (!sameShape(exchange, permutation)) return undefined;
  const swapped: DotDimensions = {
    lhsBatch: d.rhsBatch,
    rhsBatch: d.lhsBatch,
    lhsContracting: d.rhsContracting,
    rhsContracting: d.lhsContracting,
  };
  return emit('dotGeneral', [rhs, lhs], swapped);
}

/** By the op that is emitted. */
export const rules: { readonly [K in PrimitiveName]?: Rule<K> } = {
  neg: negRule,
  not: ([x]) => madeBy(x, 'not')?.inputs[0],
  cast: ([x], { dtype }) => {
    if (x.dtype === dtype) return x;
    // Widened and rounded again, a float16 is what it was; the other way round it has lost digits.
    const inner = madeBy(x, 'cast')?.inputs[0];
    return inner?.dtype === 'float16' && dtype === 'float16' && x.dtype === 'float32' ? inner : undefined;
  },
  add: addRule,
  sub: ([x, y], _, { emit }) => {
    if (uniformValue(y) === 0 && carriesShape(x, y)) return x;
    if (uniformValue(x) === 0 && carriesShape(y, x)) return emit('neg', [y], {});
    const negated = madeBy(y, 'neg');
    return negated && emit('add', [x, negated.inputs[0]], {});
  },
  mul: mulRule,
  div: ([x, y]) => (uniformValue(y) === 1 && carriesShape(x, y) ? x : undefined),
  reduceSum: reduceSumRule,
  reshape: ([x], { shape }, { emit }) => {
    if (sameShape(x.shape, shape)) return x;
    const inner = madeBy(x, 'reshape');
    return inner ? emit('reshape', inner.inputs, { shape }) : repeatAgain(x, shape, emit);
  },
  transpose: ([x], { permutation }, { emit }) => {
    if (isIdentity(permutation)) return x;
    const again = repeatAgain(
      x,
      permutation.map((axis) => x.shape[axis]!),
      emit,
    );
    if (again !== undefined) return again;
    if (movesNothing(x.shape, permutation)) {
      return emit('reshape', [x], { shape: permutation.map((axis) => x.shape[axis]!) });
    }
    const inner = madeBy(x, 'transpose');
    if (inner !== undefined) {
      return emit('transpose', inner.inputs, {
        permutation: permutation.map((axis) => inner.attributes.permutation[axis]!),
      });
    }
    return swapContraction(x, permutation, emit);
  },
  broadcastTo: ([x], { shape }, { emit }) => {
    if (sameShape(x.shape, shape)) return x;
    const source = repeated(x, emit);
    return source === x ? undefined : emit('broadcastTo', [source], { shape });
  },
  slice: ([x], { starts, limits, strides }) => {
    const whole = x.shape.every(
      (n, axis) => starts[axis] === 0 && limits[axis] === n && (strides[axis] === 1 || n <= 1),
    );
    return whole ? x : undefined;
  },
  pad: ([x], { low, high, interior }) =>
    x.shape.every((n, axis) => low[axis] === 0 && high[axis] === 0 && (interior[axis] === 0 || n <= 1))
      ? x
      : undefined,
  concat: (inputs, { axis }, { emit, usedOnce }) => {
    if (inputs.length === 1) return inputs[0];
    const filled = inputs.filter(({ shape }) => shape[axis]! > 0);
    if (filled.length > 0 && filled.length < inputs.length) return emit('concat', filled, { axis });
    const parts = inputs.flatMap((input) => {
      const inner = madeBy(input, 'concat');
      return inner?.attributes.axis === axis && usedOnce(input) ? inner.inputs : [input];
    });
    return parts.length > inputs.length ? emit('concat', parts, { axis }) : undefined;
  },
  reverse: ([x], { axes }) =>
    axes.every((axis) => x.shape[axis]! <= 1) || sizeOf(x.shape) === 0 ? x : undefined,
  dotGeneral: ([lhs, rhs], d, { emit }) => {
    const left = foldTranspose(lhs, d.lhsBatch, d.lhsContracting);
    const right = foldTranspose(rhs, d.rhsBatch, d.rhsContracting);
    if (left === undefined && right === undefined) return undefined;
    return emit('dotGeneral', [left?.operand ?? lhs, right?.operand ?? rhs], {
      lhsBatch: left?.batch ?? d.lhsBatch,
      lhsContracting: left?.contracting ?? d.lhsContracting,
      rhsBatch: right?.batch ?? d.rhsBatch,
      rhsContracting: right?.contracting ?? d.rhsContracting,
    });
  },
  stopGradient: ([x]) => (x.node.op === 'stopGradient' || x.node.op === 'constant' ? x : undefined),
};
