/**
 * A matrix product in WGSL: each thread accumulates a small block of the result in registers. Operands are read through
 * the writer, wherever and however they lie, and each element of the result is handed to what follows, so that slices
 * and transpositions before the product, and biases, activations and residuals after it, cost no pass over memory.
 *
 * With `tiles` the threads of a workgroup share what they read: strips of both operands go through workgroup memory, and
 * each number is read from memory once per workgroup. With `registers` each thread reads for itself, which is better
 * where a workgroup's threads run one after the other, as in software.
 *
 * Blocks at the edges read beyond the operands, which WebGPU allows: what comes of it is not written.
 */
import { sizeOf } from '@meanflow/core';
import type { NodeOf, StoredValue } from '../program/program.js';
import { Index } from './index-expression.js';
import { wgslTypes } from './literal.js';
import { Scope, type ElementWriter } from './scope.js';

export type ProductNode = NodeOf<'matMul'>;

/** How the threads of a product come by their operands. */
export type ProductStyle = 'tiles' | 'registers';

/** The text of a product, but for what is done with its elements. */
export interface ProductText {
  readonly body: readonly string[];
  readonly threads: number;
  readonly workgroups: number;
  /** Declarations of workgroup memory. */
  readonly shared: readonly string[];
}

/** Writes what is done with an element of the product: the expression of it, at `[stack, row, column]`. */
export type Epilogue = (
  scope: Scope,
  element: string,
  at: readonly [Index, Index, Index],
) => readonly string[];

/** Threads of a workgroup that read for themselves. */
const ALONE = 64;
/** Elements of a dimension, from which a workgroup takes 64 of it. */
const WIDE = 64;
/** Workgroups of 256 threads, and of 64, below which smaller tiles keep more of the device busy. */
const FEW_LARGE = 128;
const FEW_SMALL = 64;
/** Elements of the contracted dimension in a strip. */
const STRIP = 16;

/** `[stack, rows, columns]` and the length of the contracted dimension. */
export function productSizes({ inputs: [lhs], attributes, output: { shape } }: ProductNode) {
  const [stack, rows, columns] = shape as readonly [number, number, number];
  return { stack, rows, columns, inner: lhs.shape[attributes.transposeLhs ? 1 : 2]! };
}

type Sizes = ReturnType<typeof productSizes>;

/** Multiplications of a product. */
export const multiplications = (node: ProductNode): number =>
  sizeOf(node.output.shape) * productSizes(node).inner;

export function productText(
  writer: ElementWriter,
  node: ProductNode,
  style: ProductStyle,
  epilogue: Epilogue,
): ProductText {
  if (style === 'registers') return new Product(writer, node, epilogue, 4).registers();
  const { most, threads } = tileOf(productSizes(node));
  return new Product(writer, node, epilogue, most).tiles(threads);
}

/** How many neighbours a thread takes of a dimension. */
const blockOf = (n: number, most: 2 | 4): 1 | 2 | 4 => (n > 16 ? most : n > 8 ? 2 : 1);

interface Tile {
  /** Neighbours that a thread takes of each dimension, at most. */
  readonly most: 2 | 4;
  /** Of a workgroup: down and across. */
  readonly threads: readonly [number, number];
}

/** The largest tile, and so the least reading, of which there are enough. */
function tileOf({ stack, rows, columns }: Sizes): Tile {
  const count = ({ most, threads: [down, across] }: Tile) =>
    stack *
    Math.ceil(rows / (down * blockOf(rows, most))) *
    Math.ceil(columns / (across * blockOf(columns, most)));
  const side = (n: number) => (n >= WIDE ? 16 : 8);
  const large: Tile = { most: 4, threads: [side(rows), side(columns)] };
  const small: Tile = { most: 4, threads: [8, 8] };
  if (count(large) >= FEW_LARGE) return large;
  return count(small) >= FEW_SMALL ? small : { most: 2, threads: [8, 8] };
}

/** A side of the product: one of its operands, and the dimension of the result that it gives. */
interface Side {
  readonly value: StoredValue;
  readonly name: 'row' | 'column';
  readonly size: number;
  /** Of the dimension, per thread. */
  readonly block: 1 | 2 | 4;
  /** Whether neighbours in the contracted dimension are neighbours in memory. */
  readonly innerLast: boolean;
  /** The operand's coordinates. */
  at(place: Index, k: Index): readonly Index[];
}

class Product {
  private readonly sizes: Sizes;
  private readonly type: 'f32' | 'i32';
  private readonly stack: Index;
  private readonly sides: readonly [Side, Side];

  constructor(
    private readonly writer: ElementWriter,
    node: ProductNode,
    private readonly epilogue: Epilogue,
    most: 2 | 4,
  ) {
    const { transposeLhs, transposeRhs } = node.attributes;
    const [lhs, rhs] = node.inputs;
    this.sizes = productSizes(node);
    const { stack, rows, columns } = this.sizes;
    this.type = wgslTypes[node.output.dtype] === 'i32' ? 'i32' : 'f32';
    this.stack = Index.variable('stack', stack);
    this.sides = [
      {
        value: lhs,
        name: 'row',
        size: rows,
        block: blockOf(rows, most),
        innerLast: !transposeLhs,
        at: (row, k) => (transposeLhs ? [this.stack, k, row] : [this.stack, row, k]),
      },
      {
        value: rhs,
        name: 'column',
        size: columns,
        block: blockOf(columns, most),
        innerLast: transposeRhs,
        at: (column, k) => (transposeRhs ? [this.stack, column, k] : [this.stack, k, column]),
      },
    ];
  }

  /** Each thread by itself. */
  registers(): ProductText {
    const { stack, inner } = this.sizes;
    const [lhs, rhs] = this.sides;
    const [down, across] = [lhs, rhs].map(({ size, block: n }) => Math.ceil(size / n)) as [number, number];
    const total = stack * down * across;
    const k = Index.variable('k', inner);
    const scope = new Scope();
    const [left, right] = [lhs, rhs].map((side) =>
      this.neighbours(scope, side, (n) => this.place(side, n), k),
    );
    const body = [
      `  let i = i32((group.y * groups.x + group.x) * ${ALONE}u + local);`,
      `  if (i >= ${total}) { return; }`,
      `  let stack = i / ${down * across};`,
      `  let firstRow = (i / ${across}) % ${down} * ${lhs.block};`,
      `  let firstColumn = i % ${across} * ${rhs.block};`,
      ...this.places(),
      ...this.accumulators(),
      ...(inner > 1 ? [`  for (var k = 0; k < ${inner}; k += 1) {`] : ['  {']),
      ...indented(scope.lines),
      `    let a = ${left};`,
      `    let b = ${right};`,
      ...this.multiply(),
      '  }',
      ...this.results([lhs.block, rhs.block]),
    ];
    return { body, threads: ALONE, workgroups: Math.ceil(total / ALONE), shared: [] };
  }

  /** The threads of a workgroup together. */
  tiles([down, across]: Tile['threads']): ProductText {
    const { stack, inner } = this.sizes;
    const [lhs, rhs] = this.sides;
    const threads = down * across;
    const [height, width] = [down * lhs.block, across * rhs.block];
    const [tileRows, tileColumns] = [Math.ceil(lhs.size / height), Math.ceil(rhs.size / width)];
    const strips = [this.strip('left', lhs, down, threads), this.strip('right', rhs, across, threads)];
    const body = [
      '  let tile = i32(group.y * groups.x + group.x);',
      `  if (tile >= ${stack * tileRows * tileColumns}) { return; }`,
      `  let stack = tile / ${tileRows * tileColumns};`,
      `  let tileRow = (tile / ${tileColumns}) % ${tileRows} * ${height};`,
      `  let tileColumn = tile % ${tileColumns} * ${width};`,
      `  let down = i32(local) / ${across};`,
      `  let across = i32(local) % ${across};`,
      `  let firstRow = tileRow + down * ${lhs.block};`,
      `  let firstColumn = tileColumn + across * ${rhs.block};`,
      ...this.accumulators(),
      `  for (var start = 0; start < ${inner}; start += ${STRIP}) {`,
      ...strips.flatMap(({ load }) => load),
      '    workgroupBarrier();',
      `    for (var k = 0; k < ${STRIP}; k += 1) {`,
      ...indented([
        `    let a = left[k * ${strips[0]!.pitch} + down];`,
        `    let b = right[k * ${strips[1]!.pitch} + across];`,
        ...this.multiply(),
      ]),
      '    }',
      '    workgroupBarrier();',
      '  }',
      ...this.results([height, width]),
    ];
    const shared = strips.map(({ declaration }) => declaration);
    return { body, threads, workgroups: stack * tileRows * tileColumns, shared };
  }

  /**
   * A strip of an operand in workgroup memory, `[STRIP, groups]` of blocks, and the statements that fill it. Neighbouring
   * threads read neighbouring memory: along the contracted dimension where it is the last, along the other elsewhere.
   */
  private strip(name: string, side: Side, groups: number, threads: number) {
    const { inner } = this.sizes;
    // One more than is needed, so that threads that write a column do not all ask for the same bank.
    const pitch = side.innerLast ? groups + 1 : groups;
    const type = vector(side.block, this.type);
    const isWhole = inner % STRIP === 0;
    const tile = side.name === 'row' ? 'tileRow' : 'tileColumn';
    const scope = new Scope();
    const k = Index.variable('k', inner);
    const places = Array.from(
      { length: side.block },
      (_, n) => `    let p${n} = ${tile} + at * ${side.block} + ${n};`,
    );
    const variables = (n: number) => Index.variable(`p${n}`, side.size);
    const read = this.neighbours(scope, side, variables, k);
    const kept = isWhole ? read : `select(${type}(), ${read}, k < ${inner})`;
    const load = [
      `    for (var l = i32(local); l < ${STRIP * groups}; l += ${threads}) {`,
      ...indented([
        ...(side.innerLast
          ? [`    let depth = l % ${STRIP};`, `    let at = l / ${STRIP};`]
          : [`    let depth = l / ${groups};`, `    let at = l % ${groups};`]),
        '    let k = start + depth;',
        ...places,
        ...indented(scope.lines),
        `    ${name}[depth * ${pitch} + at] = ${kept};`,
      ]),
      '    }',
    ];
    return { pitch, load, declaration: `var<workgroup> ${name}: array<${type}, ${STRIP * pitch}>;` };
  }

  /** The neighbours of a side at one place of the contracted dimension, as a vector. */
  private neighbours(scope: Scope, side: Side, place: (n: number) => Index, k: Index): string {
    const parts = Array.from({ length: side.block }, (_, n) =>
      this.writer.at(scope, side.value, side.at(place(n), k)),
    );
    return parts.length === 1 ? parts[0]! : `${vector(side.block, this.type)}(${parts.join(', ')})`;
  }

  private place({ name, size }: Side, n: number): Index {
    return Index.variable(`${name}${n}`, size);
  }

  /** The rows and columns that a thread reads. */
  private places(): string[] {
    return this.sides.flatMap(({ name, block: count }) =>
      Array.from(
        { length: count },
        (_, n) => `  let ${name}${n} = ${name === 'row' ? 'firstRow' : 'firstColumn'} + ${n};`,
      ),
    );
  }

  private accumulators(): string[] {
    const [lhs, rhs] = this.sides;
    return Array.from({ length: lhs.block }, (_, n) => `  var acc${n} = ${vector(rhs.block, this.type)}();`);
  }

  private multiply(): string[] {
    const [lhs] = this.sides;
    return Array.from({ length: lhs.block }, (_, n) => {
      const left = lhs.block === 1 ? 'a' : `a[${n}]`;
      return `    acc${n} = acc${n} + ${left} * b;`;
    });
  }

  /** What is done with each element of the thread's block, where the whole result is made of such tiles. */
  private results([height, width]: readonly [number, number]): string[] {
    const { rows, columns } = this.sizes;
    const [lhs, rhs] = this.sides;
    const within = (name: string, size: number, tile: number) =>
      size % tile === 0 ? [] : [`if (${name} >= ${size}) { break; }`];
    const scope = new Scope();
    const at = [this.stack, Index.variable('row', rows), Index.variable('column', columns)] as const;
    const stores = this.epilogue(scope, 'element', at);
    const type = vector(rhs.block, this.type);
    const names = Array.from({ length: lhs.block }, (_, n) => `acc${n}`).join(', ');
    return [
      // A copy, for it is indexed by a variable: what the loop above works on stays in registers.
      `  var block = array<${type}, ${lhs.block}>(${names});`,
      `  for (var y = 0; y < ${lhs.block}; y += 1) {`,
      '    let row = firstRow + y;',
      ...within('row', rows, height).map((line) => `    ${line}`),
      `    for (var x = 0; x < ${rhs.block}; x += 1) {`,
      '      let column = firstColumn + x;',
      ...within('column', columns, width).map((line) => `      ${line}`),
      `      let element = block[y]${rhs.block === 1 ? '' : '[x]'};`,
      ...indented(indented([...scope.lines, ...stores])),
      '    }',
      '  }',
    ];
  }
}

const vector = (n: number, type: string): string => (n === 1 ? type : `vec${n}<${type}>`);

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
