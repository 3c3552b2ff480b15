/**
 * What each op does with a stretch of rows: given an op whose operands are stretches of larger values, the op on the larger
 * values of which its result is the same stretch, `op(x[a:b]) = op(x)[a:b]`. It holds of shapes alone, so one table serves
 * instructions that are being emitted and the bodies of composites. `shareRows` looks whether the larger result is there.
 */
import type { ArityOf, Operands, PrimitiveAttributes, PrimitiveName } from '../ops/attributes.js';
import { freeAxes } from '../ops/dot.js';
import { sizeOf, type Shape } from '../types.js';

/** Elements `[from, to)` along one axis, of a value that has `of` there. */
export interface Stretch {
  readonly axis: number;
  readonly from: number;
  readonly to: number;
  readonly of: number;
}

/** An operand: its shape, and of what it is a stretch. */
export interface RowOperand {
  readonly shape: Shape;
  readonly stretch: Stretch | undefined;
  /** Whether it is one element repeated along an axis, so that it may as well be a stretch of a longer repetition. */
  readonly repeats: (axis: number) => boolean;
}

/** The op on the larger values. */
export interface Lifted<Attributes> {
  readonly attributes: Attributes;
  /** What its result is a stretch by. */
  readonly stretch: Stretch;
  /** For each operand the axis along which it is the larger value; undefined where it is taken as it is. */
  readonly axes: readonly (number | undefined)[];
}

type Lift<K extends PrimitiveName> = (
  operands: Operands<ArityOf<K>, RowOperand>,
  attributes: PrimitiveAttributes[K],
  result: Shape,
) => readonly Lifted<PrimitiveAttributes[K]>[];

/** Whether an operand has the rows along its `axis`. */
function hasRows({ shape, stretch, repeats }: RowOperand, axis: number, rows: Stretch): boolean {
  if (stretch === undefined) return shape[axis] === rows.to - rows.from && repeats(axis);
  return (
    stretch.axis === axis && stretch.from === rows.from && stretch.to === rows.to && stretch.of === rows.of
  );
}

const never = (): readonly never[] => [];

/** One op for each element: operands are aligned at their last axis, and of size 1 where they are repeated. */
function elementwise<Attributes>(
  operands: readonly RowOperand[],
  attributes: Attributes,
  result: Shape,
): readonly Lifted<Attributes>[] {
  const first = operands.find(({ stretch }) => stretch !== undefined)!;
  const axis = first.stretch!.axis + result.length - first.shape.length;
  // A single row that is repeated here is no longer a stretch.
  if (result[axis] !== first.shape[first.stretch!.axis]) return [];
  const stretch = { ...first.stretch!, axis };
  const axes: (number | undefined)[] = [];
  for (const operand of operands) {
    const own = axis - (result.length - operand.shape.length);
    const isSame = own < 0 || (operand.stretch === undefined && operand.shape[own] === 1);
    if (!isSame && !hasRows(operand, own, stretch)) return [];
    axes.push(isSame ? undefined : own);
  }
  return [{ attributes, stretch, axes }];
}

/** An op of one operand that keeps rows apart, along the axis that `axisOf` gives. */
const moved =
  <K extends PrimitiveName>(
    axisOf: (axis: number, attributes: PrimitiveAttributes[K], shape: Shape) => number | undefined,
    attributesOf: (stretch: Stretch, attributes: PrimitiveAttributes[K]) => PrimitiveAttributes[K] = (_, a) =>
      a,
  ) =>
  (
    [operand]: readonly [RowOperand],
    attributes: PrimitiveAttributes[K],
  ): readonly Lifted<PrimitiveAttributes[K]>[] => {
    const { shape, stretch } = operand;
    if (stretch === undefined) return [];
    const axis = axisOf(stretch.axis, attributes, shape);
    if (axis === undefined) return [];
    return [
      {
        attributes: attributesOf(stretch, attributes),
        stretch: { ...stretch, axis },
        axes: [stretch.axis],
      },
    ];
  };

const replaced = (values: readonly number[], index: number, value: number): number[] =>
  values.map((old, i) => (i === index ? value : old));

const reduction = moved<'reduceSum' | 'reduceMax'>((axis, { axes }) =>
  axes.includes(axis) ? undefined : axis - axes.filter((reduced) => reduced < axis).length,
);

/**
 * The elements of a stretch lie together in each block of the axes before it, so they are a stretch of any axis before which
 * are as many elements, and which divides the stretch evenly.
 */
const reshapeLift: Lift<'reshape'> = ([{ shape, stretch }], _, result) => {
  if (stretch === undefined) return [];
  const before = sizeOf(shape.slice(0, stretch.axis));
  const each = sizeOf(shape.slice(stretch.axis + 1));
  return result.flatMap((_, axis) => {
    if (sizeOf(result.slice(0, axis)) !== before) return [];
    const width = sizeOf(result.slice(axis + 1));
    const [from, to, of] = [stretch.from, stretch.to, stretch.of].map((rows) => (rows * each) / width);
    if (![from, to, of].every(Number.isSafeInteger) || to! - from! !== result[axis]) return [];
    return [
      {
        attributes: { shape: replaced(result, axis, of!) },
        stretch: { axis, from: from!, to: to!, of: of! },
        axes: [stretch.axis],
      },
    ];
  });
};

/** Past cuts of later axes only: of two cuts one is the outer, whichever was met first. */
const sliceLift = moved<'slice'>(
  (axis, { starts, limits, strides }, shape) => {
    const isWhole = (at: number) => starts[at] === 0 && limits[at] === shape[at] && strides[at] === 1;
    return shape.every((_, at) => at > axis || isWhole(at)) ? axis : undefined;
  },
  ({ axis, of }, attributes) => ({ ...attributes, limits: replaced(attributes.limits, axis, of) }),
);

const broadcastLift: Lift<'broadcastTo'> = ([{ shape, stretch }], attributes) => {
  if (stretch === undefined) return [];
  const axis = stretch.axis + attributes.shape.length - shape.length;
  if (attributes.shape[axis] !== shape[stretch.axis]) return [];
  return [
    {
      attributes: { shape: replaced(attributes.shape, axis, stretch.of) },
      stretch: { ...stretch, axis },
      axes: [stretch.axis],
    },
  ];
};

const concatLift: Lift<'concat'> = (operands, attributes) => {
  const { stretch } = operands.find((operand) => operand.stretch !== undefined)!;
  if (stretch === undefined || stretch.axis === attributes.axis) return [];
  if (!operands.every((operand) => hasRows(operand, stretch.axis, stretch))) return [];
  return [{ attributes, stretch, axes: operands.map(() => stretch.axis) }];
};

const dotLift: Lift<'dotGeneral'> = ([lhs, rhs], attributes) => {
  const { lhsBatch, rhsBatch, lhsContracting, rhsContracting } = attributes;
  const left = lhsBatch.indexOf(lhs.stretch?.axis ?? -1);
  const place = left >= 0 ? left : rhsBatch.indexOf(rhs.stretch?.axis ?? -1);
  if (place >= 0) {
    const [leftAxis, rightAxis] = [lhsBatch[place]!, rhsBatch[place]!];
    const rows = (left >= 0 ? lhs.stretch : rhs.stretch)!;
    if (!hasRows(lhs, leftAxis, rows) || !hasRows(rhs, rightAxis, rows)) return [];
    return [{ attributes, stretch: { ...rows, axis: place }, axes: [leftAxis, rightAxis] }];
  }
  if (lhs.stretch !== undefined && rhs.stretch !== undefined) return [];
  const leftFree = freeAxes(lhs.shape.length, lhsBatch, lhsContracting);
  const rightFree = freeAxes(rhs.shape.length, rhsBatch, rhsContracting);
  const [stretch, free, before] =
    lhs.stretch !== undefined
      ? [lhs.stretch, leftFree, lhsBatch.length]
      : [rhs.stretch!, rightFree, lhsBatch.length + leftFree.length];
  const at = free.indexOf(stretch.axis);
  if (at < 0) return [];
  const axes = lhs.stretch !== undefined ? [stretch.axis, undefined] : [undefined, stretch.axis];
  return [{ attributes, stretch: { ...stretch, axis: before + at }, axes }];
};

/** Images of a batch; kernels are taken as they are. */
const convLift: Lift<'conv'> = ([x, kernel], attributes) => {
  if (x.stretch?.axis !== 0 || kernel.stretch !== undefined) return [];
  return [{ attributes, stretch: x.stretch, axes: [0, undefined] }];
};

/** Indices; the table is taken as it is. */
const gatherLift: Lift<'gather'> = ([table, indices], attributes) => {
  if (table.stretch !== undefined || indices.stretch === undefined) return [];
  return [{ attributes, stretch: indices.stretch, axes: [undefined, indices.stretch.axis] }];
};

const lifts: { readonly [K in PrimitiveName]: Lift<K> } = {
  constant: never, iota: never,
  neg: elementwise, abs: elementwise, sign: elementwise, floor: elementwise, exp: elementwise, log: elementwise, log1p: elementwise,
  sqrt: elementwise, rsqrt: elementwise, sin: elementwise, cos: elementwise, tanh: elementwise, sigmoid: elementwise, erf: elementwise,
  erfc: elementwise, isFinite: elementwise, not: elementwise, cast: elementwise, add: elementwise, sub: elementwise, mul: elementwise,
  div: elementwise, pow: elementwise, maximum: elementwise, minimum: elementwise, equal: elementwise, less: elementwise,
  lessEqual: elementwise, and: elementwise, or: elementwise, select: elementwise, stopGradient: elementwise,
  reduceSum: reduction,
  reduceMax: reduction,
  argMax: moved<'argMax'>((axis, { axis: reduced }) =>
    axis === reduced ? undefined : axis - Number(reduced < axis),
  ),
  reshape: reshapeLift,
  transpose: moved<'transpose'>((axis, { permutation }) => permutation.indexOf(axis)),
  broadcastTo: broadcastLift,
  slice: sliceLift,
  pad: moved<'pad'>((axis, { low, high, interior }) =>
    low[axis] === 0 && high[axis] === 0 && interior[axis] === 0 ? axis : undefined,
  ),
  concat: concatLift,
  reverse: moved<'reverse'>((axis, { axes }) => (axes.includes(axis) ? undefined : axis)),
  dotGeneral: dotLift,
  conv: convLift,
  gather: gatherLift,
  scatterAdd: never,
  // What is kept apart is not found again.
  optimizationBarrier: never,
}; // prettier-ignore

/** A lift of an op of which it is not known which it is. */
type AnyLift = (
  operands: readonly RowOperand[],
  attributes: unknown,
  result: Shape,
) => readonly Lifted<object>[];

/**
 * The ops on larger values of which the result is a stretch, most often one, none where rows are mixed.
 *
 * @param operands of which one is a stretch
 */
export function liftRows(
  op: PrimitiveName,
  operands: readonly RowOperand[],
  attributes: unknown,
  result: Shape,
): readonly Lifted<object>[] {
  return (lifts[op] as AnyLift)(operands, attributes, result);
}
