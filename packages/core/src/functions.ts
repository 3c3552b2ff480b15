/**
 * The functions that programs are written with. Each checks and completes its arguments (negative axes, numbers as
 * constants, defaults) and applies one primitive, or a few. All are pure and symbolic; all throw `ShapeError`,
 * `DTypeError` or `ArgumentError` at once, naming the op, the operands and the line that called them.
 */
import { apply, inContext } from './apply.js';
import { ArgumentError, ShapeError } from './errors.js';
import { HostArray, hostArray, type NestedNumbers } from './host-array.js';
import type { ConvWindow, DotDimensions, PrimitiveName } from './ops/attributes.js';
import { freeAxes } from './ops/dot.js';
import { Tensor } from './tensor.js';
import { formatShape, sizeOf, type DType, type Shape } from './types.js';

/** A tensor, or a number that becomes a constant of the other operand's dtype. */
export type TensorLike = Tensor | number;

/** Options of the reductions. */
export interface ReduceOptions {
  /** Keep the reduced axes with size 1. */
  readonly keepDims?: boolean;
}

// ---------------------------------------------------------------------------------------------------- sources

/**
 * A constant. Numbers keep float64 precision in the graph; a backend rounds them to its own.
 *
 * @param value a number, rectangular nested numbers or a host array
 * @param dtype defaults to the host array's dtype (float64 counts as float32), float32 otherwise
 */
export function constant(value: NestedNumbers | HostArray, dtype?: DType): Tensor {
  if (value instanceof HostArray) {
    const resolved = dtype ?? (value.dtype === 'float64' ? 'float32' : value.dtype);
    return apply('constant', [], { dtype: resolved, value });
  }
  const resolved = dtype ?? 'float32';
  const stored = hostArray(value, { dtype: resolved === 'float32' ? 'float64' : resolved });
  return apply('constant', [], { dtype: resolved, value: stored });
}

/** The coordinate along `axis` at every place of `shape`. */
export function iota(shape: Shape, axis = 0, dtype: 'float32' | 'int32' = 'int32'): Tensor {
  return apply('iota', [], { dtype, shape, axis });
}

/** One value everywhere. */
export function full(shape: Shape, value: number, dtype: DType = 'float32'): Tensor {
  return broadcastTo(constant(value, dtype), shape);
}

function toTensor(value: TensorLike, dtype: DType): Tensor {
  return value instanceof Tensor ? value : constant(value, dtype);
}

// ------------------------------------------------------------------------------------------------ elementwise

type Unary = Extract<PrimitiveName, 'neg' | 'abs' | 'sign' | 'floor' | 'exp' | 'log' | 'sqrt' | 'rsqrt' | 'sin' | 'cos' | 'tanh' | 'sigmoid' | 'erf' | 'isFinite' | 'not'>; // prettier-ignore

function unary(op: Unary, x: TensorLike, dtype: DType = 'float32'): Tensor {
  return apply(op, [toTensor(x, dtype)], {});
}

/** −x */
export function neg(x: TensorLike): Tensor {
  return unary('neg', x);
}
/** |x| */
export function abs(x: TensorLike): Tensor {
  return unary('abs', x);
}
/** −1, 0 or 1. */
export function sign(x: TensorLike): Tensor {
  return unary('sign', x);
}
/** The largest whole number that is not greater. */
export function floor(x: TensorLike): Tensor {
  return unary('floor', x);
}
export function exp(x: TensorLike): Tensor {
  return unary('exp', x);
}
/** Natural logarithm. */
export function log(x: TensorLike): Tensor {
  return unary('log', x);
}
export function sqrt(x: TensorLike): Tensor {
  return unary('sqrt', x);
}
/** 1 / √x */
export function rsqrt(x: TensorLike): Tensor {
  return unary('rsqrt', x);
}
export function sin(x: TensorLike): Tensor {
  return unary('sin', x);
}
export function cos(x: TensorLike): Tensor {
  return unary('cos', x);
}
export function tanh(x: TensorLike): Tensor {
  return unary('tanh', x);
}
/** The logistic function 1 / (1 + e^{−x}). */
export function sigmoid(x: TensorLike): Tensor {
  return unary('sigmoid', x);
}
/** The error function. */
export function erf(x: TensorLike): Tensor {
  return unary('erf', x);
}
/** Whether each element is neither infinite nor NaN. */
export function isFinite(x: TensorLike): Tensor {
  return unary('isFinite', x);
}
export function logicalNot(x: Tensor): Tensor {
  return unary('not', x, 'bool');
}
/** x², with one product-rule term in its derivative. */
export function square(x: Tensor): Tensor {
  return mul(x, x);
}
/** Conversion; floats to int32 truncate toward zero, anything to bool is `x ≠ 0`. */
export function cast(x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? x : apply('cast', [x], { dtype });
}

type Binary = Extract<PrimitiveName, 'add' | 'sub' | 'mul' | 'div' | 'pow' | 'maximum' | 'minimum' | 'equal' | 'less' | 'lessEqual' | 'and' | 'or'>; // prettier-ignore

function binary(op: Binary, x: TensorLike, y: TensorLike, fallback: DType = 'float32'): Tensor {
  const dtype = x instanceof Tensor ? x.dtype : y instanceof Tensor ? y.dtype : fallback;
  return apply(op, [toTensor(x, dtype), toTensor(y, dtype)], {});
}

/** x + y */
export function add(x: TensorLike, y: TensorLike): Tensor {
  return binary('add', x, y);
}
/** x − y */
export function sub(x: TensorLike, y: TensorLike): Tensor {
  return binary('sub', x, y);
}
/** x · y, elementwise. */
export function mul(x: TensorLike, y: TensorLike): Tensor {
  return binary('mul', x, y);
}
/** x / y; on int32 it truncates toward zero. */
export function div(x: TensorLike, y: TensorLike): Tensor {
  return binary('div', x, y);
}
/** xᵖ for float32; whole and half exponents given as numbers use multiplication and square roots. */
export function pow(x: TensorLike, exponent: TensorLike): Tensor {
  if (x instanceof Tensor && typeof exponent === 'number') {
    if (exponent === 1) return x;
    if (exponent === 2) return mul(x, x);
    if (exponent === 0.5) return sqrt(x);
    if (exponent === -0.5) return rsqrt(x);
    if (exponent === -1) return div(1, x);
  }
  return binary('pow', x, exponent);
}
export function maximum(x: TensorLike, y: TensorLike): Tensor {
  return binary('maximum', x, y);
}
export function minimum(x: TensorLike, y: TensorLike): Tensor {
  return binary('minimum', x, y);
}
/** x limited to [low, high]. */
export function clip(x: TensorLike, low: TensorLike, high: TensorLike): Tensor {
  return minimum(maximum(x, low), high);
}
export function equal(x: TensorLike, y: TensorLike): Tensor {
  return binary('equal', x, y);
}
export function notEqual(x: TensorLike, y: TensorLike): Tensor {
  return logicalNot(equal(x, y));
}
/** x < y */
export function less(x: TensorLike, y: TensorLike): Tensor {
  return binary('less', x, y);
}
/** x ≤ y */
export function lessEqual(x: TensorLike, y: TensorLike): Tensor {
  return binary('lessEqual', x, y);
}
/** x > y */
export function greater(x: TensorLike, y: TensorLike): Tensor {
  return less(y, x);
}
/** x ≥ y */
export function greaterEqual(x: TensorLike, y: TensorLike): Tensor {
  return lessEqual(y, x);
}
export function logicalAnd(x: Tensor, y: Tensor): Tensor {
  return binary('and', x, y);
}
export function logicalOr(x: Tensor, y: Tensor): Tensor {
  return binary('or', x, y);
}
/** `condition ? x : y`, elementwise, with broadcasting. */
export function where(condition: Tensor, x: TensorLike, y: TensorLike): Tensor {
  const dtype = x instanceof Tensor ? x.dtype : y instanceof Tensor ? y.dtype : 'float32';
  return apply('select', [condition, toTensor(x, dtype), toTensor(y, dtype)], {});
}

// -------------------------------------------------------------------------------------------------- reductions

/** One axis counted from the end when negative. @throws {ArgumentError} when out of range */
export function normalizeAxis(axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new ArgumentError(`axis ${axis} is out of range for a tensor of rank ${rank}.`);
  }
  return axis < 0 ? axis + rank : axis;
}

function normalizeAxes(axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const normalized = [axes].flat().map((axis) => normalizeAxis(axis, rank));
  if (new Set(normalized).size !== normalized.length) {
    throw new ArgumentError(`axes [${[axes].flat().join(', ')}] name an axis twice.`);
  }
  return normalized.sort((a, b) => a - b);
}

function reduce(
  op: 'reduceSum' | 'reduceMax',
  name: string,
  x: Tensor,
  axes: number | readonly number[] | undefined,
  { keepDims = false }: ReduceOptions,
): Tensor {
  return inContext(name, [x], () => {
    const normalized = normalizeAxes(axes, x.rank);
    const reduced = normalized.length === 0 ? x : apply(op, [x], { axes: normalized });
    return keepDims
      ? reshape(
          reduced,
          x.shape.map((n, axis) => (normalized.includes(axis) ? 1 : n)),
        )
      : reduced;
  });
}

/** Sum over `axes`, all of them by default. */
export function sum(x: Tensor, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  return reduce('reduceSum', 'sum', x, axes, options);
}
/** Arithmetic mean over `axes`, all of them by default. */
export function mean(x: Tensor, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  const total = sum(x, axes, options);
  return mul(
    total,
    inContext('mean', [x], () => 1 / sizeOf(normalizeAxes(axes, x.rank).map((axis) => x.shape[axis]))),
  );
}
/** Maximum over `axes`, all of them by default; ties share the derivative equally. */
export function max(x: Tensor, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  return reduce('reduceMax', 'max', x, axes, options);
}
/** Minimum over `axes`, all of them by default. */
export function min(x: Tensor, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  return neg(max(neg(x), axes, options));
}
/** Index of the first maximum along `axis`, int32. */
export function argMax(x: Tensor, axis = -1): Tensor {
  return apply('argMax', [x], () => ({ axis: normalizeAxis(axis, x.rank) }));
}

// ------------------------------------------------------------------------------------------------------- shape

/** The same elements in row-major order under another shape; one dimension may be −1. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  return apply('reshape', [x], () => {
    if (!shape.includes(-1)) return { shape };
    const known = sizeOf(shape.filter((dimension) => dimension !== -1));
    const rest = sizeOf(x.shape) / known;
    if (shape.filter((dimension) => dimension === -1).length > 1 || !Number.isInteger(rest)) {
      throw new ShapeError(`cannot reshape ${formatShape(x.shape)} to ${formatShape(shape)}.`);
    }
    return { shape: shape.map((dimension) => (dimension === -1 ? rest : dimension)) };
  });
}
/** Axes in another order; reversed by default. */
export function transpose(x: Tensor, permutation?: readonly number[]): Tensor {
  const order = permutation ?? x.shape.map((_, axis) => x.rank - 1 - axis);
  return apply('transpose', [x], () => ({ permutation: order.map((axis) => normalizeAxis(axis, x.rank)) }));
}
/** The value repeated to `shape` by the rules of broadcasting. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  return apply('broadcastTo', [x], { shape });
}
/** Elements `start, start + stride, …` below `limit`, per axis. */
export function slice(
  x: Tensor,
  starts: readonly number[],
  limits: readonly number[],
  strides: readonly number[] = starts.map(() => 1),
): Tensor {
  return apply('slice', [x], { starts, limits, strides });
}
/** Zeros before (`low`), after (`high`) and between (`interior`) the elements, per axis; zero by default. */
export function pad(
  x: Tensor,
  padding: {
    readonly low?: readonly number[];
    readonly high?: readonly number[];
    readonly interior?: readonly number[];
  },
): Tensor {
  const none = x.shape.map(() => 0);
  return apply('pad', [x], {
    low: padding.low ?? none,
    high: padding.high ?? none,
    interior: padding.interior ?? none,
  });
}
/** Tensors one after another along `axis`. */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  return apply('concat', tensors, () => ({ axis: normalizeAxis(axis, tensors[0]?.rank ?? 0) }));
}
/** Consecutive parts of the given lengths along `axis`. */
export function split(x: Tensor, lengths: readonly number[], axis = -1): Tensor[] {
  return inContext('split', [x], () => {
    const along = normalizeAxis(axis, x.rank);
    if (lengths.reduce((a, b) => a + b, 0) !== x.shape[along]) {
      throw new ShapeError(
        `lengths [${lengths.join(', ')}] do not add up to axis ${along} of ${formatShape(x.shape)}.`,
      );
    }
    let start = 0;
    return lengths.map((length) => {
      const from = start;
      start += length;
      const starts = x.shape.map((_, a) => (a === along ? from : 0));
      return slice(
        x,
        starts,
        x.shape.map((n, a) => (a === along ? from + length : n)),
      );
    });
  });
}
/** Elements in the opposite order along `axes`. */
export function reverse(x: Tensor, axes: readonly number[]): Tensor {
  return apply('reverse', [x], () => ({ axes: normalizeAxes(axes, x.rank) }));
}
/** A new axis of size 1 at `axis`. */
export function expandDims(x: Tensor, axis: number): Tensor {
  return inContext('expandDims', [x], () => {
    const at = normalizeAxis(axis, x.rank + 1);
    return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
  });
}

// ------------------------------------------------------------------------------------------------ contractions

/** Sum of products over paired axes; see {@link DotDimensions}. Result axes: batch, left free, right free. */
export function dotGeneral(lhs: Tensor, rhs: Tensor, dimensions: DotDimensions): Tensor {
  return apply('dotGeneral', [lhs, rhs], dimensions);
}
/**
 * Matrix product `[...batch, m, k] × [...batch, k, n] → [...batch, m, n]`. A rank-2 right operand multiplies every
 * row of the left one; otherwise the batch axes must be equal.
 */
export function matmul(lhs: Tensor, rhs: Tensor): Tensor {
  return inContext('matmul', [lhs, rhs], () => {
    if (lhs.rank < 1 || rhs.rank < 2)
      throw new ShapeError('needs a left operand of rank ≥ 1 and a right one of rank ≥ 2.');
    const batch = rhs.rank === 2 ? [] : Array.from({ length: rhs.rank - 2 }, (_, axis) => axis);
    if (batch.length > 0 && lhs.rank !== rhs.rank) {
      throw new ShapeError('batched operands need equal ranks; reshape or broadcastTo first.');
    }
    return dotGeneral(lhs, rhs, {
      lhsBatch: batch,
      rhsBatch: batch,
      lhsContracting: [lhs.rank - 1],
      rhsContracting: [rhs.rank - 2],
    });
  });
}

/**
 * Contraction by name, for two operands: `einsum('bqhd,bkhd->bhqk', q, k)`. Letters that both operands and the result
 * share are batch axes, letters that only the operands share are summed.
 */
export function einsum(equation: string, lhs: Tensor, rhs: Tensor): Tensor {
  return inContext(`einsum "${equation}"`, [lhs, rhs], () => {
    const match = /^([a-z]+),([a-z]+)->([a-z]*)$/.exec(equation.replaceAll(' ', ''));
    if (match === null) throw new ArgumentError('an equation reads like "ik,kj->ij".');
    const [left, right, out] = match.slice(1).map((letters) => [...letters]);
    for (const [letters, operand] of [
      [left, lhs],
      [right, rhs],
    ] as const) {
      if (letters.length !== operand.rank || new Set(letters).size !== letters.length) {
        throw new ShapeError(
          `"${letters.join('')}" needs one distinct letter per axis of ${formatShape(operand.shape)}.`,
        );
      }
    }
    const shared = left.filter((letter) => right.includes(letter));
    const batch = shared.filter((letter) => out.includes(letter));
    const contracting = shared.filter((letter) => !out.includes(letter));
    const axes = (letters: string[], chosen: string[]) => chosen.map((letter) => letters.indexOf(letter));
    const dimensions = {
      lhsBatch: axes(left, batch),
      rhsBatch: axes(right, batch),
      lhsContracting: axes(left, contracting),
      rhsContracting: axes(right, contracting),
    };
    const natural = [
      ...batch,
      ...freeAxes(left.length, dimensions.lhsBatch, dimensions.lhsContracting).map((axis) => left[axis]),
      ...freeAxes(right.length, dimensions.rhsBatch, dimensions.rhsContracting).map((axis) => right[axis]),
    ];
    if (natural.length !== out.length || !out.every((letter) => natural.includes(letter))) {
      throw new ArgumentError(`the result "${out.join('')}" must name each of "${natural.join('')}" once.`);
    }
    const product = dotGeneral(lhs, rhs, dimensions);
    return natural.join() === out.join() ? product : transpose(product, axes(natural, out));
  });
}

/**
 * Cross-correlation of `[batch, channels, ...space]` with `[features, channels / groups, ...window]`.
 *
 * @param window strides and dilations default to 1, padding to 0, groups to 1
 */
export function conv(x: Tensor, kernel: Tensor, window: Partial<ConvWindow> = {}): Tensor {
  const spatial = x.shape.slice(2);
  const ones = spatial.map(() => 1);
  return apply('conv', [x, kernel], {
    strides: window.strides ?? ones,
    padding: window.padding ?? spatial.map(() => [0, 0] as const),
    lhsDilation: window.lhsDilation ?? ones,
    rhsDilation: window.rhsDilation ?? ones,
    groups: window.groups ?? 1,
  });
}

// ---------------------------------------------------------------------------------------- indexing, structure

/** Rows of `table [rows, ...row]` by int32 `indices [...index]`: `[...index, ...row]`. Indices must be in range. */
export function gather(table: Tensor, indices: Tensor): Tensor {
  return apply('gather', [table, indices], {});
}
/** Adds `updates [...index, ...row]` into a table of `rows` zero rows at int32 `indices [...index]`. */
export function scatterAdd(updates: Tensor, indices: Tensor, rows: number): Tensor {
  return apply('scatterAdd', [updates, indices], { rows });
}
/** 1 at the index and 0 elsewhere, along a new last axis of size `depth`; float32. */
export function oneHot(indices: Tensor, depth: number): Tensor {
  const classes = iota([...indices.shape.map(() => 1), depth], indices.rank, 'int32');
  return cast(equal(expandDims(indices, -1), classes), 'float32');
}
/** The same value, taken as a constant by every derivative. */
export function stopGradient(x: Tensor): Tensor {
  return apply('stopGradient', [x], {});
}
