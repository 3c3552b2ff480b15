/**
 * KernelWriter: a group of nodes as one WGSL kernel. Elements are computed where they are needed: the value of a node
 * at an index is the op applied to its operands at theirs, down to the buffers that the kernel reads. Movement of data
 * is a change of index and costs no pass over memory. What was computed at an index is not computed twice.
 *
 * A kernel with reductions walks rows: `o` numbers the results, `r` the elements that each combines. Reductions that
 * need no other's result share a loop; after the last, elements of the whole rows may be written too, which makes a
 * softmax or a normalisation, or the derivative of one, a single kernel.
 *
 * A kernel with a large matrix product walks its result, and what else it writes has the same elements.
 */
import { sameShape, sizeOf, type DType } from '@meanflow/core';
import type { ProgramNode, StorageId, StoredValue } from '../program/program.js';
import { expressionOf } from './expressions.js';
import { functionsFor } from './functions.js';
import { coordinatesOf, Index, linear } from './index-expression.js';
import { literal, roundedToHalf, storedTypes, wgslTypes } from './literal.js';
import { productText, type ProductNode, type ProductStyle } from './product-kernel.js';
import {
  accumulators,
  isReduction,
  joinThreads,
  workgroupShape,
  type Accumulator,
  type Rows,
} from './reductions.js';
import { NotFusable, Scope, type ElementWriter } from './scope.js';

export interface KernelGroup {
  /** The nodes that the kernel computes, by their result's storage. */
  readonly nodes: ReadonlyMap<StorageId, ProgramNode>;
  /** Constants of one element, which stand in the kernel's text. */
  readonly scalars: ReadonlyMap<StorageId, number>;
  /** Results that are written, each with its node in `nodes`. */
  readonly results: readonly StoredValue[];
  readonly rows?: Rows;
  /** The matrix product whose result's elements the kernel walks. */
  readonly product?: ProductNode;
  /** Storages that the kernel may write over. */
  readonly donated: ReadonlySet<StorageId>;
}

export interface Kernel {
  /** The text, which is put together when it is asked for: most kernels that fusion tries are not kept. */
  readonly wgsl: () => string;
  readonly workgroups: number;
  /** Storages that the kernel reads, in the order of its bindings; the results' come before. */
  readonly reads: readonly StoredValue[];
  /** Results that are written over an operand, by their place among the results: the operand is not in `reads`. */
  readonly inPlace: readonly { readonly result: number; readonly value: StoredValue }[];
}

/** What of a device's options matters to the text of one kernel. */
export interface WriterOptions {
  /** Threads that may share a row. */
  readonly threadsPerRow: number;
  readonly productStyle: ProductStyle;
}

/** A computed element as it is stored, and a stored one as it is computed with. */
const stored = (element: string, dtype: DType): string =>
  dtype === 'bool' ? `select(0, 1, ${element})` : dtype === 'float16' ? `f16(${element})` : element;
const computed = (element: string, dtype: DType): string =>
  dtype === 'bool' ? `(${element} != 0)` : dtype === 'float16' ? `f32(${element})` : element;

type ReductionNode = Extract<ProgramNode, { op: keyof typeof accumulators }>;

/** Statements beyond which a kernel is not worth its compilation. */
const MAX_STATEMENTS = 600;
const WORKGROUP = 64;
/** Elements that a thread takes in before it adds them to the rest of a long row. */
const BLOCK = 64;

/** Where the coordinates of a view lie in the shape that its storage was computed in. */
const viewed = (value: StoredValue, computed: StoredValue, coordinates: readonly Index[], place: Index) =>
  sameShape(value.shape, computed.shape) ? coordinates : coordinatesOf(place, computed.shape);

export class KernelWriter implements ElementWriter {
  private readonly reads: StoredValue[] = [];
  /** What does not depend on the element of the row, and is computed once per row. */
  private readonly rowScope = new Scope();
  /** Names of the reductions whose loops were written. */
  private readonly reduced = new Map<StorageId, string>();
  /** Variables that differ between the elements of a row. */
  private readonly perElement = new Set(['r']);
  private statements = 0;
  private names = 0;
  /** Where the results of reductions, or of the product, are known: the place that is being written. */
  private own = '';
  /** Where each storage is read. */
  private readonly loads = new Map<StorageId, Set<string>>();
  /** Where each result is written that is written after everything was read. */
  private readonly stores = new Map<StoredValue, string>();

  constructor(
    private readonly group: KernelGroup,
    private readonly options: WriterOptions,
  ) {}

  /** @throws {NotFusable} when the group cannot be one kernel */
  write(): Kernel {
    if (this.group.product !== undefined) return this.product(this.group.product);
    return this.group.rows === undefined ? this.elements() : this.rowwise(this.group.rows);
  }

  private elements(): Kernel {
    const size = sizeOf(this.group.results[0]!.shape);
    const place = Index.variable('i', size);
    const scope = new Scope();
    const stores = this.group.results.map((result) => this.store(scope, result, place));
    const body = [
      `  let i = i32((group.y * groups.x + group.x) * ${WORKGROUP}u + local);`,
      `  if (i >= ${size}) { return; }`,
      ...scope.lines,
      ...stores,
    ];
    return this.finish(body, WORKGROUP, Math.ceil(size / WORKGROUP));
  }

  private product(node: ProductNode): Kernel {
    const { storage, shape, dtype } = node.output;
    const text = productText(this, node, this.options.productStyle, (scope, element, at) => {
      const place = linear(at, shape);
      this.own = place.toWgsl();
      this.reduced.set(storage, dtype === 'float16' ? roundedToHalf(element) : element);
      return this.group.results.map((result) => this.store(scope, result, place));
    });
    return this.finish(text.body, text.threads, text.workgroups, text.shared);
  }

  private rowwise(rows: Rows): Kernel {
    const { across, along } = workgroupShape(rows, this.options.threadsPerRow);
    this.own = Index.variable('o', rows.outer).toWgsl();
    const threads = across * along;
    const r = Index.variable('r', rows.inner);
    const body: string[] = [
      // Neighbouring threads read neighbouring memory: along the row where it is contiguous, across rows elsewhere.
      ...(rows.contiguous
        ? [`  let member = i32(local % ${along}u);`, `  let lane = i32(local / ${along}u);`]
        : [`  let member = i32(local / ${across}u);`, `  let lane = i32(local % ${across}u);`]),
      `  let row = i32(group.y * groups.x + group.x) * ${across} + lane;`,
      `  let o = min(row, ${rows.outer - 1});`,
    ];
    const flush = (): void => {
      body.push(...this.rowScope.lines);
      this.rowScope.lines.length = 0;
    };
    const loop = (lines: readonly string[], from = 'member', to: number | string = rows.inner): string[] => [
      `  for (var r = ${from}; r < ${to}; r += ${along}) {`,
      ...lines.map((line) => `  ${line}`),
      '  }',
    ];
    // A long row is taken in blocks, and many blocks in blocks of blocks, so that the roundings of its sum do not add up.
    const blocks: number[] = [];
    for (let size = BLOCK * along; size < rows.inner; size *= BLOCK) blocks.unshift(size);
    const marked = (names: readonly string[], depth: number) => names.map((name) => name + 'b'.repeat(depth));
    const shared = new Map<string, string>();
    for (const phase of this.phases()) {
      const scope = new Scope(this.rowScope);
      const steps = phase.map((node) => {
        const accumulator = accumulators[node.op](node as never) as Accumulator;
        const name = this.newName('s');
        const names = accumulator.variables.map(({ suffix }) => name + suffix);
        const values = accumulator.values(accumulator.element(this, scope, r));
        const defined = values.map((value, i) =>
          value === 'r' ? value : this.define(scope, value, accumulator.variables[i]!.type),
        );
        scope.lines.push(`  ${accumulator.take(marked(names, blocks.length), defined)}`);
        return { node, accumulator, names };
      });
      flush();
      const declare = (depth: number) =>
        steps.flatMap(({ accumulator, names }) =>
          accumulator.variables.map(
            ({ type, initial }, i) => `  var ${marked(names, depth)[i]}: ${type} = ${initial};`,
          ),
        );
      /** The row's elements from `from` to `to`, taken into the variables of this depth. */
      const takeIn = (depth: number, from: string, to: string): string[] => {
        if (depth === blocks.length)
          return loop(scope.lines, from === '0' ? 'member' : `${from} + member`, to);
        const [start, end] = [`start${depth}`, `end${depth}`];
        const taken = steps.map(
          ({ accumulator, names }) => `  ${accumulator.take(marked(names, depth), marked(names, depth + 1))}`,
        );
        return [
          `  for (var ${start} = ${from}; ${start} < ${to}; ${start} += ${blocks[depth]}) {`,
          `    let ${end} = min(${start} + ${blocks[depth]}, ${to});`,
          ...[...declare(depth + 1), ...takeIn(depth + 1, start, end), ...taken].map((line) => `  ${line}`),
          '  }',
        ];
      };
      for (const { accumulator } of steps)
        for (const { type, suffix } of accumulator.variables) shared.set(`shared_${type}${suffix}`, type);
      body.push(...declare(0), ...takeIn(0, '0', `${rows.inner}`));
      for (const { node, accumulator, names } of steps) {
        body.push(...joinThreads(accumulator, names, { across, along }, rows.contiguous));
        if (node.output.dtype === 'float16') body.push(`  ${names[0]} = ${roundedToHalf(names[0]!)};`);
        // Of an argMax the index is the result.
        this.reduced.set(node.output.storage, names.at(-1)!);
      }
    }
    const [wide, narrow] = [rows.outer * rows.inner, rows.outer];
    const scope = new Scope(this.rowScope);
    const o = Index.variable('o', rows.outer);
    const stores: string[] = [];
    for (const result of this.group.results) {
      const size = sizeOf(result.shape);
      if (size === wide) {
        scope.lines.push(`  ${this.store(scope, result, o.times(rows.inner).plus(r))}`);
        this.stores.delete(result);
      } else if (size === narrow) stores.push(this.store(this.rowScope, result, o));
      else throw new NotFusable(`a result of ${size} elements among rows of ${wide}`);
    }
    flush();
    if (stores.length > 0)
      body.push(`  if (row < ${rows.outer} && member == 0) {`, ...stores.map((line) => `  ${line}`), '  }');
    if (scope.lines.length > 0) body.push(`  if (row < ${rows.outer}) {`, ...loop(scope.lines), '  }');
    const declarations =
      along === 1
        ? []
        : [...shared].map(([name, type]) => `var<workgroup> ${name}: array<${type}, ${threads}>;`);
    return this.finish(body, threads, Math.ceil(rows.outer / across), declarations);
  }

  /** Reductions in groups, each of which needs results of earlier groups only. */
  private phases(): ReductionNode[][] {
    const { nodes } = this.group;
    const levels = new Map<StorageId, number>();
    const level = (storage: StorageId): number => {
      const node = nodes.get(storage);
      if (node === undefined) return 0;
      const known = levels.get(storage);
      if (known !== undefined) return known;
      const below = Math.max(0, ...node.inputs.map((input) => level(input.storage)));
      const own = isReduction(node) ? below + 1 : below;
      levels.set(storage, own);
      return own;
    };
    const phases: ReductionNode[][] = [];
    for (const node of [...nodes.values()].sort((a, b) => a.output.storage - b.output.storage)) {
      if (isReduction(node)) (phases[level(node.output.storage) - 1] ??= []).push(node);
    }
    return phases;
  }

  private store(scope: Scope, result: StoredValue, place: Index): string {
    const value = this.at(scope, result, coordinatesOf(place, result.shape));
    this.stores.set(result, place.toWgsl());
    return `  out${this.group.results.indexOf(result)}[${place.toWgsl()}] = ${stored(value, result.dtype)};`;
  }

  at(scope: Scope, value: StoredValue, coordinates: readonly Index[]): string {
    const place = linear(coordinates, value.shape);
    const reduced = this.reduced.get(value.storage);
    const node = this.group.nodes.get(value.storage);
    if (node !== undefined && isReduction(node)) {
      if (reduced !== undefined && place.toWgsl() === this.own) return reduced;
      throw new NotFusable('a reduction is read at another row, or before it is done');
    }
    const scalar = this.group.scalars.get(value.storage);
    if (scalar !== undefined) return literal(scalar, value.dtype);
    // What is the same for the whole row is computed outside of the loop over its elements.
    const isPerRow =
      this.group.rows !== undefined && !place.variables().some((name) => this.perElement.has(name));
    const home = isPerRow ? this.rowScope : scope;
    const key = `${value.storage} ${place.toWgsl()}`;
    const known = home.find(key);
    if (known !== undefined) return known;
    const expression =
      node === undefined
        ? this.load(value, place)
        : expressionOf(this, home, node, viewed(value, node.output, coordinates, place));
    const name = this.define(home, expression, wgslTypes[value.dtype]);
    home.set(key, name);
    return name;
  }

  newName(prefix: string): string {
    return `${prefix}${this.names++}`;
  }

  define(scope: Scope, expression: string, type: string): string {
    if (++this.statements > MAX_STATEMENTS) throw new NotFusable('too long');
    const name = this.newName('v');
    if (scope !== this.rowScope) this.perElement.add(name);
    scope.lines.push(`  let ${name}: ${type} = ${expression};`);
    return name;
  }

  private load(value: StoredValue, place: Index): string {
    let binding = this.reads.findIndex(({ storage }) => storage === value.storage);
    if (binding < 0) binding = this.reads.push(value) - 1;
    const at = place.toWgsl();
    if (!this.loads.has(value.storage)) this.loads.set(value.storage, new Set());
    this.loads.get(value.storage)!.add(at);
    const element = `in${binding}[${at}]`;
    return computed(element, value.dtype);
  }

  private finish(
    body: readonly string[],
    threads: number,
    workgroups: number,
    shared: readonly string[] = [],
  ): Kernel {
    const { results } = this.group;
    const inPlace = this.inPlace();
    const over = new Map(inPlace.map(({ result, value }) => [value.storage, result]));
    const reads = this.reads.filter(({ storage }) => !over.has(storage));
    const wgsl = () => {
      const bindings = [
        ...results.map(({ dtype }, i) => `var<storage, read_write> out${i}: array<${storedTypes[dtype]}>;`),
        ...reads.map(
          (value) => `var<storage, read> in${this.reads.indexOf(value)}: array<${storedTypes[value.dtype]}>;`,
        ),
      ].map((declared, i) => `@group(0) @binding(${i}) ${declared}`);
      const main = [
        `@compute @workgroup_size(${threads})`,
        'fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,',
        '        @builtin(local_invocation_index) local: u32) {',
        ...body.map((line) => this.reading(line, over)),
        '}',
      ].join('\n');
      const text = [...bindings, ...shared, functionsFor(main), main].filter(Boolean).join('\n');
      return /\bf16\b/.test(text) ? `enable f16;\n${text}` : text;
    };
    return { wgsl, workgroups, reads, inPlace };
  }

  /** Results of which each element takes the place of the one operand's that it is made of. */
  private inPlace(): { result: number; value: StoredValue }[] {
    const { results, donated } = this.group;
    const taken = new Set<StorageId>();
    return results.flatMap((result, i) => {
      const place = this.stores.get(result);
      const value = this.reads.find(({ storage, dtype, shape }) => {
        if (!donated.has(storage) || taken.has(storage)) return false;
        if (dtype !== result.dtype || sizeOf(shape) !== sizeOf(result.shape)) return false;
        return [...this.loads.get(storage)!].every((at) => at === place);
      });
      if (value === undefined) return [];
      taken.add(value.storage);
      return [{ result: i, value }];
    });
  }

  /** A statement that reads operands where the results are that are written over them. */
  private reading(line: string, over: ReadonlyMap<StorageId, number>): string {
    if (over.size === 0) return line;
    return line.replace(/\bin(\d+)\[/g, (text, binding: string) => {
      const result = over.get(this.reads[Number(binding)]!.storage);
      return result === undefined ? text : `out${result}[`;
    });
  }
}
