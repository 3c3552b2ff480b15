/**
 * Products by strides: which contractions of a graph are matrix products that read their operands, and write their result,
 * where these lie. The movements around them (transposed operands, split heads, slices of one tensor) are then not carried
 * out at all, and factors (the scale of attention) are part of the product.
 */
import { sizeOf, type Shape } from '@meanflow/core';
import {
  freeAxes,
  mergeAxes,
  viewsOf,
  type Instruction,
  type Program,
  type ValueId,
  type View,
  type WalkedAxis,
} from '@meanflow/core/backend';
import { needsOf, type Readers, type Reads } from './needs.js';
import { Layout } from './layout.js';

/** A stack of matrices in the memory of a value, by strides in elements. */
export interface StridedMatrix {
  readonly value: ValueId;
  readonly offset: number;
  /** By batch axis. */
  readonly batch: readonly number[];
  /** From one row to the next. */
  readonly row: number;
  /** From one column to the next. */
  readonly column: number;
}

/** C[…, i, j] = alpha Σₚ A[…, i, p] B[…, p, j] + D[…, i, j] */
export interface StridedProduct {
  readonly alpha: number;
  /** Sizes of the batch axes. */
  readonly batch: Shape;
  readonly rows: number;
  readonly columns: number;
  readonly terms: number;
  readonly a: StridedMatrix;
  readonly b: StridedMatrix;
  /** What is written: the contraction's own result, or what movements made of it, which lies as its type says. */
  readonly c: StridedMatrix;
  /** What is added, if there is something: a bias, or another product. Its columns lie side by side. */
  readonly d: StridedMatrix | undefined;
}

/** By the instruction in whose place it is done: the contraction, or the last of what follows it and is part of the product. */
export type Products = ReadonlyMap<Instruction, StridedProduct>;

/**
 * Settles which contractions of a prepared graph are done by strides.
 *
 * @param reads what an instruction that is no product reads
 */
export function planProducts(graph: Program, reads: Reads = ({ inputs }) => inputs): Products {
  const scalars = scalarsOf(graph);
  const operands = operandsOf(graph, scalars);
  const products = new Map<Instruction, StridedProduct>();
  for (const instruction of graph.instructions) {
    if (!isProduct(instruction)) continue;
    const product = productOf(graph, instruction, operands);
    if (product !== undefined) products.set(instruction, product);
  }
  const { readers } = needsOf(graph, (instruction) => {
    const product = products.get(instruction);
    return product === undefined ? reads(instruction) : operandsOfProduct(product);
  });
  for (const [instruction] of [...products]) {
    if (!isProduct(instruction)) continue;
    const whole = withWhatFollows(graph, instruction, operands, readers, scalars);
    if (whole === undefined) continue;
    products.delete(instruction);
    products.set(whole.last, whole.product);
  }
  return products;
}

type Contraction = Extract<Instruction, { readonly op: 'dotGeneral' }>;

const isProduct = (instruction: Instruction): instruction is Contraction => instruction.op === 'dotGeneral';

/** The values that are one known number, or repetitions of it. */
function scalarsOf(graph: Program): ReadonlyMap<ValueId, number> {
  const scalars = new Map<ValueId, number>();
  for (const { op, attributes, inputs, outputs } of graph.instructions) {
    if (op === 'constant' && attributes.value.size === 1) scalars.set(outputs[0]!, attributes.value.data[0]!);
    if (op !== 'broadcastTo' && op !== 'reshape') continue;
    const repeated = scalars.get(inputs[0]!);
    if (repeated !== undefined) scalars.set(outputs[0]!, repeated);
  }
  return scalars;
}

/** What an instruction multiplies its operand by, where it does only that. */
function factorOf(
  graph: Program,
  { op, inputs, outputs }: Instruction,
  scalars: ReadonlyMap<ValueId, number>,
): { readonly of: ValueId; readonly factor: number } | undefined {
  const { dtype, shape } = graph.types[outputs[0]!]!;
  if (dtype !== 'float32') return undefined;
  const pairs = [[inputs[0]!, inputs[1]!], [inputs[1]!, inputs[0]!]] as const; // prettier-ignore
  for (const [of, by] of op === 'mul' ? pairs : []) {
    const factor = scalars.get(by);
    // Nothing times what overflows on the way is no number; nothing times an operand is nothing.
    const isFactor = factor !== undefined && Number.isFinite(factor) && factor !== 0;
    if (isFactor && sameShape(graph.types[of]!.shape, shape)) return { of, factor };
  }
  return op === 'neg' ? { of: inputs[0]!, factor: -1 } : undefined;
}

const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((n, axis) => n === b[axis]);

/** Where a value lies before movements and factors. */
interface OperandView extends View {
  readonly factor: number;
}

function operandsOf(graph: Program, scalars: ReadonlyMap<ValueId, number>): readonly OperandView[] {
  const views = viewsOf(graph, (instruction) => factorOf(graph, instruction, scalars)?.of);
  const factors = views.map(() => 1);
  for (const instruction of graph.instructions) {
    const [output] = instruction.outputs;
    if (views[output!]!.value === output) continue;
    const { of, factor } = factorOf(graph, instruction, scalars) ?? { of: instruction.inputs[0]!, factor: 1 };
    factors[output!] = factors[of]! * factor;
  }
  return views.map((view, value) => ({ ...view, factor: factors[value]! }));
}

/** The product by strides that writes the contraction's own result. */
function productOf(
  graph: Program,
  instruction: Contraction,
  operands: readonly OperandView[],
): StridedProduct | undefined {
  const output = instruction.outputs[0]!;
  const { dtype, shape } = graph.types[output]!;
  if (dtype !== 'float32' || [...instruction.inputs, output].some((value) => isEmpty(graph, value)))
    return undefined;
  return written(instruction, operands, output, new Layout(shape), 1);
}

const isEmpty = (graph: Program, value: ValueId): boolean => sizeOf(graph.types[value]!.shape) === 0;

interface WholeProduct {
  readonly product: StridedProduct;
  /** The last instruction that is part of it. */
  readonly last: Instruction;
}

/**
 * The same with what follows, as long as nobody else reads the result in between: movements, of which the value at the end lies
 * in memory as its type says, and the axes of the product are found again in it; factors; and one addition.
 */
function withWhatFollows(
  graph: Program,
  instruction: Contraction,
  operands: readonly OperandView[],
  readers: Readers,
  scalars: ReadonlyMap<ValueId, number>,
): WholeProduct | undefined {
  let value = instruction.outputs[0]!;
  const layout = new Layout(graph.types[value]!.shape);
  let factor = 1;
  let best: WholeProduct | undefined;
  for (;;) {
    const [last, ...others] = readers.get(value) ?? [];
    if (last === undefined || last === 'output' || others.length > 0) return best;
    const [output] = last.outputs as readonly [ValueId];
    const added = addendOf(graph, last, value, operands);
    if (added !== undefined) {
      const product = written(instruction, operands, output, layout, factor, added);
      return product !== undefined && isFast(product) ? { product, last } : best;
    }
    const scaled = factorOf(graph, last, scalars);
    if (scaled === undefined ? !layout.follow(last) : scaled.of !== value) return best;
    factor *= scaled?.factor ?? 1;
    value = output;
    const product = written(instruction, operands, value, layout, factor);
    if (product !== undefined && isFast(product)) best = { product, last };
  }
}

/** What an instruction adds to a value, as it is read in the value's shape. */
function addendOf(
  graph: Program,
  { op, inputs, outputs }: Instruction,
  value: ValueId,
  operands: readonly OperandView[],
): (Place & Pick<View, 'strides'>) | undefined {
  if (op !== 'add') return undefined;
  const { shape } = graph.types[outputs[0]!]!;
  const other = inputs[0] === value ? inputs[1]! : inputs[0]!;
  const view = operands[other]!;
  if (other === value || view.factor !== 1 || !sameShape(graph.types[value]!.shape, shape)) return undefined;
  const strides = shape.map((size, axis) => {
    const own = axis - (shape.length - view.shape.length);
    return own >= 0 && view.shape[own] === size ? view.strides[own]! : 0;
  });
  return { value: view.value, offset: view.offset, strides };
}

/** Kernels write along columns, and lose where there are few of them. */
const isFast = ({ c, d, columns }: StridedProduct): boolean =>
  c.column === 1 && columns >= 8 && (d === undefined || d.column === 1);

/** The product whose result is the value that `layout` led to. */
function written(
  { inputs, attributes: d }: Contraction,
  operands: readonly OperandView[],
  value: ValueId,
  layout: Layout,
  factor: number,
  added?: Place & Pick<View, 'strides'>,
): StridedProduct | undefined {
  const [a, b] = [operands[inputs[0]]!, operands[inputs[1]]!];
  const results = layout.pieces();
  const addends = added && layout.pieces(added.strides);
  let next = 0;
  /** The next axis of the result as the operands walk it, in the pieces in which it lies. */
  const walk = (strideA: number, strideB: number): WalkedAxis[] => {
    const [pieces, others] = [results[next]!, addends?.[next]];
    next += 1;
    let inner = pieces.reduce((product, { size }) => product * size, 1);
    return pieces.map(({ size, stride }, i) => {
      inner /= size;
      return { size, strides: [strideA * inner, strideB * inner, stride, others?.[i]!.stride ?? 0] };
    });
  };
  const batch = mergeAxes(
    d.lhsBatch.flatMap((axis, i) => walk(a.strides[axis]!, b.strides[d.rhsBatch[i]!]!)),
  );
  const rows = mergeAxes(
    freeAxes(a.shape.length, d.lhsBatch, d.lhsContracting).flatMap((axis) => walk(a.strides[axis]!, 0)),
  );
  const columns = mergeAxes(
    freeAxes(b.shape.length, d.rhsBatch, d.rhsContracting).flatMap((axis) => walk(0, b.strides[axis]!)),
  );
  // Terms may be added in any order: in that of A's memory neighbours join most easily.
  const terms = d.lhsContracting
    .map((axis, i) => ({
      size: a.shape[axis]!,
      strides: [a.strides[axis]!, b.strides[d.rhsContracting[i]!]!, 0, 0],
    }))
    .sort((x, y) => y.strides[0]! - x.strides[0]!);
  const alpha = factor * a.factor * b.factor;
  return asProduct(alpha, [a, b, { value, offset: 0 }, added], batch, rows, columns, mergeAxes(terms));
}

/** What the library's op takes. */
const MOST_BATCH_AXES = 4;

const NO_AXIS: WalkedAxis = { size: 1, strides: [0, 0, 1, 1] };

function asProduct(
  alpha: number,
  [a, b, c, d]: readonly [Place, Place, Place, Place | undefined],
  batch: readonly WalkedAxis[],
  rows: readonly WalkedAxis[],
  columns: readonly WalkedAxis[],
  terms: readonly WalkedAxis[],
): StridedProduct | undefined {
  if (terms.length > 1) return undefined;
  const [term] = [...terms, { size: 1, strides: [0, 0, 0, 0] }] as const;
  const [row, column] = [widest(rows), widest(columns)];
  // An axis too many of the rows or of the columns is a stack of products with the same other operand.
  const stack = [
    ...batch,
    ...rows.filter((axis) => axis !== row),
    ...columns.filter((axis) => axis !== column),
  ];
  if (stack.length > MOST_BATCH_AXES) return undefined;
  const matrix = (place: Place, side: number, down: number, across: number): StridedMatrix => ({
    value: place.value,
    offset: place.offset,
    batch: stack.map(({ strides }) => strides[side]!),
    row: down,
    column: across,
  });
  const product = {
    alpha,
    batch: stack.map(({ size }) => size),
    ...{ rows: row.size, columns: column.size, terms: term.size },
    a: matrix(a, 0, row.strides[0]!, term.strides[0]!),
    b: matrix(b, 1, term.strides[1]!, column.strides[1]!),
    c: matrix(c, 2, row.strides[2]!, column.strides[2]!),
    d: d && matrix(d, 3, row.strides[3]!, column.strides[3]!),
  };
  return product.c.column !== 1 && product.c.row === 1 ? transposed(product) : product;
}

type Place = Pick<StridedMatrix, 'value' | 'offset'>;

const widest = (axes: readonly WalkedAxis[]): WalkedAxis =>
  axes.reduce((best, axis) => (axis.size > best.size ? axis : best), axes[0] ?? NO_AXIS);

/** Cᵀ = Bᵀ Aᵀ */
function transposed({ a, b, c, d, rows, columns, ...rest }: StridedProduct): StridedProduct {
  const flip = (matrix: StridedMatrix): StridedMatrix => ({
    ...matrix,
    row: matrix.column,
    column: matrix.row,
  });
  return { ...rest, rows: columns, columns: rows, a: flip(b), b: flip(a), c: flip(c), d: d && flip(d) };
}

/** The values that a product reads. */
export const operandsOfProduct = ({ a, b, d }: StridedProduct): readonly ValueId[] =>
  d === undefined ? [a.value, b.value] : [a.value, b.value, d.value];
