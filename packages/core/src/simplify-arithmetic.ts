/** The rewrite rules of `simplify` for sums, products and negation. */
import { hostArray } from './host-array.js';
import type { PrimitiveAttributes } from './ops/attributes.js';
import {
  carriesShape,
  isFoldable,
  isScalarConstant,
  madeBy,
  uniformValue,
  type Emit,
  type RuleContext,
} from './simplify-rule.js';
import type { Tensor } from './tensor.js';
import { sizeOf } from './types.js';
import { LARGEST_HALF } from './half.js';

export function addRule(
  [x, y]: readonly [Tensor, Tensor],
  _: unknown,
  context: RuleContext,
): Tensor | undefined {
  const { emit } = context;
  if (uniformValue(y) === 0 && carriesShape(x, y)) return x;
  if (uniformValue(x) === 0 && carriesShape(y, x)) return y;
  const [negX, negY] = [madeBy(x, 'neg'), madeBy(y, 'neg')];
  if (negY !== undefined) return emit('sub', [x, negY.inputs[0]], {});
  if (negX !== undefined) return emit('sub', [y, negX.inputs[0]], {});
  return joined(x, y, context) ?? joined(y, x, context);
}

/**
 * Neighbouring parts of one whole, each with zeros where the other stands, added up: the parts one after the other. It is how
 * the derivative of `split` comes about.
 */
function joined(first: Tensor, second: Tensor, { emit, usedOnce }: RuleContext): Tensor | undefined {
  const [before, after] = [madeBy(first, 'pad'), madeBy(second, 'pad')];
  if (before === undefined || after === undefined || !usedOnce(first) || !usedOnce(second)) return undefined;
  const [a, b] = [before.inputs[0], after.inputs[0]];
  const [left, right] = [before.attributes, after.attributes];
  if (a.rank !== b.rank || [...left.interior, ...right.interior].some((gap) => gap !== 0)) return undefined;
  const differing = left.low.flatMap((low, axis) =>
    low === right.low[axis] && left.high[axis] === right.high[axis] ? [] : [axis],
  );
  const [axis] = differing;
  if (axis === undefined || differing.length !== 1 || left.low[axis]! + a.shape[axis]! !== right.low[axis])
    return undefined;
  return emit('pad', [emit('concat', [a, b], { axis })], {
    low: left.low,
    high: right.high,
    interior: left.interior,
  });
}

export function mulRule(
  [x, y]: readonly [Tensor, Tensor],
  _: unknown,
  { emit }: RuleContext,
): Tensor | undefined {
  for (const [factor, other] of [
    [x, y],
    [y, x],
  ] as const) {
    const negated = isFoldable(factor) ? madeBy(other, 'neg') : undefined;
    if (negated !== undefined) return emit('mul', [negated.inputs[0], emit('neg', [factor], {})], {});
    const value = uniformValue(factor);
    if (value === undefined || !carriesShape(other, factor)) continue;
    if (value === 1) return other;
    if (value === -1) return emit('neg', [other], {});
    const merged = isScalarConstant(factor) ? scaled(other, factor, value, emit) : undefined;
    if (merged !== undefined) return merged;
  }
  return undefined;
}

/** The magnitudes between which the product of two constants is as exact in float32 as its factors. */
const [SMALLEST_NORMAL, LARGEST] = [2 ** -126, (2 - 2 ** -23) * 2 ** 127];

/** `x · c` times another constant: `x` times the product, unless that overflows or underflows where `x` saves it. */
function scaled(x: Tensor, factor: Tensor, value: number, emit: Emit): Tensor | undefined {
  const inner = madeBy(x, 'mul');
  const innerFactor = inner?.inputs.find(isScalarConstant);
  if (inner === undefined || innerFactor === undefined || x.dtype !== 'float32') return undefined;
  const product = Math.abs(value * uniformValue(innerFactor)!);
  if (!(product >= SMALLEST_NORMAL && product <= LARGEST)) return undefined;
  const rest = inner.inputs[0] === innerFactor ? inner.inputs[1] : inner.inputs[0];
  return emit('mul', [rest, emit('mul', [factor, innerFactor], {})], {});
}

export function negRule(
  [x]: readonly [Tensor],
  _: unknown,
  { emit, usedOnce }: RuleContext,
): Tensor | undefined {
  const inner = madeBy(x, 'neg');
  if (inner !== undefined) return inner.inputs[0];
  const difference = madeBy(x, 'sub');
  if (difference !== undefined && usedOnce(x)) {
    return emit('sub', [difference.inputs[1], difference.inputs[0]], {});
  }
  const product = madeBy(x, 'mul');
  const factor = product?.inputs.find(isScalarConstant);
  if (product === undefined || factor === undefined || !usedOnce(x)) return undefined;
  const rest = product.inputs[0] === factor ? product.inputs[1] : product.inputs[0];
  return emit('mul', [rest, emit('neg', [factor], {})], {});
}

/** Whether a count of elements may be beyond the largest number of the dtype. */
const isBeyond = (x: Tensor): boolean => x.dtype === 'float16' && sizeOf(x.shape) > LARGEST_HALF;

export function reduceSumRule(
  [x]: readonly [Tensor],
  { axes }: PrimitiveAttributes['reduceSum'],
  { emit, usedOnce }: RuleContext,
): Tensor | undefined {
  if (axes.length === 0) return x;
  const shape = x.shape.filter((_, axis) => !axes.includes(axis));
  if (axes.every((axis) => x.shape[axis] === 1)) return emit('reshape', [x], { shape });
  // A sum of repetitions is a multiple. (Of no repetitions it is zero, whatever is repeated.)
  const source = madeBy(x, 'broadcastTo')?.inputs[0];
  const isRepeated = (axis: number) => (source?.shape[axis - x.rank + source.rank] ?? 1) === 1;
  if (source !== undefined && axes.every(isRepeated) && sizeOf(x.shape) > 0 && !isBeyond(x)) {
    const summed = new Set(axes.map((axis) => axis - x.rank + source.rank));
    const kept = emit('reshape', [source], { shape: source.shape.filter((_, axis) => !summed.has(axis)) });
    const value = hostArray(sizeOf(x.shape) / sizeOf(shape), { dtype: 'float64' });
    const multiple = emit('mul', [kept, emit('constant', [], { dtype: x.dtype, value })], {});
    return emit('broadcastTo', [multiple], { shape });
  }
  if (!usedOnce(x)) return undefined;
  const negated = madeBy(x, 'neg');
  if (negated !== undefined) return emit('neg', [emit('reduceSum', negated.inputs, { axes })], {});
  const inner = madeBy(x, 'reduceSum');
  if (inner === undefined) return undefined;
  const [operand] = inner.inputs;
  const remaining = operand.shape
    .map((_, axis) => axis)
    .filter((axis) => !inner.attributes.axes.includes(axis));
  const all = [...inner.attributes.axes, ...axes.map((axis) => remaining[axis]!)].sort((a, b) => a - b);
  return emit('reduceSum', [operand], { axes: all });
}
