/**
 * Reductions in WGSL: how a thread accumulates the elements of its row, and how the threads of a row join what they
 * have. A scatter is one too: each element of the table sums the updates that name its row. So is a matrix product.
 */
import { sizeOf } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { MAX_OF_NOTHING } from '@meanflow/core/backend';
import type { NodeOf, ProgramNode } from '../program/program.js';
import { coordinatesOf, Index } from './index-expression.js';
import type { ElementWriter, Scope } from './scope.js';
import { literal } from './literal.js';

/** The rows of a kernel with reductions: how many results, of how many elements each. */
export interface Rows {
  readonly outer: number;
  readonly inner: number;
  /** Whether the elements of a row are neighbours in memory. */
  readonly contiguous: boolean;
}

export type ReductionName = 'reduceSum' | 'reduceMax' | 'argMax' | 'scatterAdd' | 'matMul';

type ReductionNode = Extract<ProgramNode, { op: ReductionName }>;

export const isReduction = (node: ProgramNode): node is ReductionNode => node.op in accumulators;

/** The accumulator of one reduction, under a name that its variables begin with. */
export interface Accumulator {
  /** The row's element `r`, as a WGSL expression. */
  element(writer: ElementWriter, scope: Scope, r: Index): string;
  /** Variables: each with its type, its value for no elements, and its value after one more. */
  readonly variables: readonly {
    readonly suffix: string;
    readonly type: 'f32' | 'i32';
    readonly initial: string;
  }[];
  /** Statements that take in a value; `names` are the variables', `values` what is taken in. */
  take(names: readonly string[], values: readonly string[]): string;
  /** What `element` and its number are taken in as. */
  values(element: string): readonly string[];
}

/** The rows of a reduction node. */
export function rowsOf(node: ReductionNode): Rows {
  const [x] = node.inputs;
  const outer = sizeOf(node.output.shape);
  if (node.op === 'scatterAdd') return { outer, inner: sizeOf(node.inputs[1].shape), contiguous: false };
  if (node.op === 'matMul')
    return { outer, inner: x.shape[node.attributes.transposeLhs ? 1 : 2]!, contiguous: false };
  const axes = reducedAxes(node);
  const last = x.shape.reduce((found, n, axis) => (n > 1 ? axis : found), 0);
  return { outer, inner: sizeOf(x.shape) / outer, contiguous: axes.includes(last) };
}

function reducedAxes(node: ReductionNode): readonly number[] {
  if (node.op === 'argMax') return [node.attributes.axis];
  return node.op === 'reduceSum' || node.op === 'reduceMax' ? node.attributes.axes : [];
}

/** The operand of a reduction over axes, at row `o` and element `r`. */
function operandElement(node: ReductionNode): Accumulator['element'] {
  const [x] = node.inputs;
  const axes = reducedAxes(node);
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const sizes = (chosen: readonly number[]) => chosen.map((axis) => x.shape[axis]!);
  return (writer, scope, r) => {
    const outer = coordinatesOf(Index.variable('o', sizeOf(node.output.shape)), sizes(kept));
    const inner = coordinatesOf(r, sizes(axes));
    const at = x.shape.map((_, axis) =>
      axes.includes(axis) ? inner[axes.indexOf(axis)]! : outer[kept.indexOf(axis)]!,
    );
    return writer.at(scope, x, at);
  };
}

const single = (type: 'f32' | 'i32', initial: string) => [{ suffix: '', type, initial }] as const;
const plain = (element: string) => [element];

const typeOf = ({ inputs: [x] }: ReductionNode) => (x.dtype === 'int32' ? 'i32' : 'f32');
const smallest = {
  f32: literal(MAX_OF_NOTHING.float32, 'float32'),
  i32: literal(MAX_OF_NOTHING.int32, 'int32'),
} as const;

function sum(node: ReductionNode, element: Accumulator['element']): Accumulator {
  const type = typeOf(node);
  const initial = type === 'f32' ? '0.0' : '0';
  return {
    element,
    variables: single(type, initial),
    values: plain,
    take: ([s], [x]) => `${s} = ${s} + ${x};`,
  };
}

export const accumulators: { readonly [K in ReductionName]: (node: NodeOf<K>) => Accumulator } = {
  reduceSum: (node) => sum(node, operandElement(node)),

  reduceMax: (node) => {
    const type = typeOf(node);
    const max = type === 'f32' ? 'maxOf' : 'max';
    return {
      element: operandElement(node),
      variables: single(type, smallest[type]),
      values: plain,
      take: ([s], [x]) => `${s} = ${max}(${s}, ${x});`,
    };
  },

  // The greatest, and of equals the first; floats are compared as integers, among which NaN has a place.
  argMax: (node) => {
    const ranked = (x: string) => (typeOf(node) === 'i32' ? x : `orderOf(${x})`);
    return {
      element: operandElement(node),
      variables: [
        { suffix: '', type: 'i32', initial: smallest.i32 },
        { suffix: 'i', type: 'i32', initial: literal(2 ** 31 - 1, 'int32') },
      ],
      values: (element) => [ranked(element), 'r'],
      take: ([s, i], [x, k]) =>
        `if (${x} > ${s} || (${x} == ${s} && ${k} < ${i})) { ${s} = ${x}; ${i} = ${k}; }`,
    };
  },

  matMul: (node) => {
    const { transposeLhs, transposeRhs } = node.attributes;
    const [lhs, rhs] = node.inputs;
    return sum(node, (writer, scope, r) => {
      const place = Index.variable('o', sizeOf(node.output.shape));
      const [stack, row, column] = leading(coordinatesOf(place, node.output.shape), 3);
      const left = writer.at(scope, lhs, transposeLhs ? [stack, r, row] : [stack, row, r]);
      const right = writer.at(scope, rhs, transposeRhs ? [stack, column, r] : [stack, r, column]);
      return `${left} * ${right}`;
    });
  },

  scatterAdd: (node) => {
    const [updates, indices] = node.inputs;
    const { rows } = node.attributes;
    const rank = indices.shape.length;
    return sum(node, (writer, scope, r) => {
      const place = Index.variable('o', sizeOf(node.output.shape));
      const width = sizeOf(node.output.shape) / rows;
      const at = coordinatesOf(r, indices.shape);
      const within = coordinatesOf(place.mod(width), updates.shape.slice(rank));
      const index = writer.at(scope, indices, at);
      const update = writer.at(scope, updates, [...at, ...within]);
      return `select(0.0, ${update}, ${index} == ${place.div(width).toWgsl()})`;
    });
  },
};

const powerOfTwo = (n: number) => 2 ** Math.ceil(Math.log2(Math.max(1, n)));

/** Rows that keep a device busy with one thread each. */
const MANY_ROWS = 8192;

/**
 * How many rows a workgroup takes, and how many threads share one.
 *
 * @param threads that share a row at most
 */
export function workgroupShape(
  { outer, inner, contiguous }: Rows,
  threads: number,
): { across: number; along: number } {
  const along = Math.min(threads, powerOfTwo(inner / 4));
  // One thread to a row reads memory that its neighbours do not, unless rows lie side by side.
  if (along === 1 || (!contiguous && outer >= MANY_ROWS)) return { across: 64, along: 1 };
  if (contiguous) return { along, across: Math.max(1, 64 / along) };
  // Threads of neighbouring rows read neighbouring memory; few rows leave threads to share them.
  const across = Math.min(16, powerOfTwo(outer));
  return { across, along: Math.min(along, Math.max(1, threads / across)) };
}

/** Joins what the threads of each row have accumulated: halves them until one is left, whose result all then know. */
export function joinThreads(
  accumulator: Accumulator,
  names: readonly string[],
  { across, along }: { readonly across: number; readonly along: number },
  contiguous: boolean,
): string[] {
  if (along === 1) return [];
  const { variables } = accumulator;
  const stride = contiguous ? 1 : across;
  const memory = variables.map(({ type, suffix }) => `shared_${type}${suffix}`);
  const at = (place: string) => memory.map((array) => `${array}[${place}]`);
  const own = at('local');
  const first = contiguous ? `lane * ${along}` : 'lane';
  return [
    ...own.map((place, i) => `  ${place} = ${names[i]};`),
    '  workgroupBarrier();',
    `  for (var d = ${along / 2}u; d > 0u; d = d / 2u) {`,
    `    if (u32(member) < d) { ${accumulator.take(own, at(`local + d * ${stride}u`))} }`,
    '    workgroupBarrier();',
    '  }',
    ...names.map((name, i) => `  ${name} = ${at(first)[i]};`),
    '  workgroupBarrier();',
  ];
}
