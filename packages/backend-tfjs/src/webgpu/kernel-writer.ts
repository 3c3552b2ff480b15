/**
 * KernelWriter: a group of nodes as one WGSL kernel. Elements are computed where they are needed: the value of a node
 * at an index is the op applied to its operands at theirs, down to the buffers that the kernel reads. Movement of data
 * is a change of index and costs no pass over memory. What was computed at an index is not computed twice.
 *
 * A kernel with reductions walks rows: `o` numbers the results, `r` the elements that each combines. Reductions that
 * need no other's result share a loop; after the last, elements of the whole rows may be written too, which makes a
 * softmax or a normalisation, or the derivative of one, a single kernel.
 */
import { sameShape, sizeOf, type DType } from '@meanflow/core';
import type { ProgramNode, StorageId, StoredValue } from '../program/program.js';
import { elementwise, functionsFor, type ElementwiseName } from './functions.js';
import { coordinatesOf, Index, linear } from './index-expression.js';
import { literal } from './literal.js';
import { accumulators, isReduction, joinThreads, workgroupShape, type Accumulator } from './reductions.js';

/** The rows of a kernel with reductions: how many results, of how many elements each. */
export interface Rows {
  readonly outer: number;
  readonly inner: number;
  /** Whether the elements of a row are neighbours in memory. */
  readonly contiguous: boolean;
}

export interface KernelGroup {
  /** The nodes that the kernel computes, by their result's storage. */
  readonly nodes: ReadonlyMap<StorageId, ProgramNode>;
  /** Constants of one element, which stand in the kernel's text. */
  readonly scalars: ReadonlyMap<StorageId, number>;
  /** Results that are written, each with its node in `nodes`. */
  readonly results: readonly StoredValue[];
  readonly rows?: Rows;
}

export interface Kernel {
  readonly wgsl: string;
  readonly workgroups: number;
  /** Storages that the kernel reads, in the order of its bindings; the results' come before. */
  readonly reads: readonly StoredValue[];
}

type ReductionNode = Extract<ProgramNode, { op: keyof typeof accumulators }>;

/** The group asks for more than one kernel can give. */
export class NotFusable extends Error {}

/** Statements beyond which a kernel is not worth its compilation. */
const MAX_STATEMENTS = 600;
const WORKGROUP = 64;

export const wgslTypes: Readonly<Record<DType, 'f32' | 'i32' | 'bool'>> = {
  float32: 'f32',
  int32: 'i32',
  bool: 'bool',
};
/** Bools are stored as integers, as tfjs stores them. */
const storedTypes: Readonly<Record<DType, 'f32' | 'i32'>> = { float32: 'f32', int32: 'i32', bool: 'i32' };

/** Where the coordinates of a view lie in the shape that its storage was computed in. */
const viewed = (value: StoredValue, computed: StoredValue, coordinates: readonly Index[], place: Index) =>
  sameShape(value.shape, computed.shape) ? coordinates : coordinatesOf(place, computed.shape);

/** Coordinates in a result, as those of an operand that is repeated to it. */
const aligned = (at: readonly Index[], shape: readonly number[]) =>
  shape.map((n, axis) => (n === 1 ? Index.number(0) : at[at.length - shape.length + axis]));

const casts: Readonly<Record<DType, Readonly<Record<DType, (x: string) => string>>>> = {
  float32: { float32: (x) => x, int32: (x) => `truncated(${x})`, bool: (x) => `isNonZero(${x})` },
  int32: { float32: (x) => `f32(${x})`, int32: (x) => x, bool: (x) => `(${x} != 0)` },
  bool: { float32: (x) => `select(0.0, 1.0, ${x})`, int32: (x) => `select(0, 1, ${x})`, bool: (x) => x },
};

/** Statements with the names of what they computed. An inner scope sees what outer ones know. */
export class Scope {
  readonly lines: string[] = [];
  private readonly known = new Map<string, string>();

  constructor(private readonly outer?: Scope) {}

  find(key: string): string | undefined {
    return this.known.get(key) ?? this.outer?.find(key);
  }

  set(key: string, name: string): void {
    this.known.set(key, name);
  }
}

export class KernelWriter {
  private readonly reads: StoredValue[] = [];
  /** What does not depend on the element of the row, and is computed once per row. */
  private readonly rowScope = new Scope();
  /** Names of the reductions whose loops were written. */
  private readonly reduced = new Map<StorageId, string>();
  /** Variables that differ between the elements of a row. */
  private readonly perElement = new Set(['r']);
  private statements = 0;
  private names = 0;

  /** @param threads that may share a row */
  constructor(
    private readonly group: KernelGroup,
    private readonly threads: number,
  ) {}

  /** @throws {NotFusable} when the group cannot be one kernel */
  write(): Kernel {
    return this.group.rows === undefined ? this.elements() : this.rowwise(this.group.rows);
  }

  private elements(): Kernel {
    const size = sizeOf(this.group.results[0].shape);
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

  private rowwise(rows: Rows): Kernel {
    const { across, along } = workgroupShape(rows, this.threads);
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
    const loop = (scope: Scope): string[] => [
      `  for (var r = member; r < ${rows.inner}; r += ${along}) {`,
      ...scope.lines.map((line) => `  ${line}`),
      '  }',
    ];
    const shared = new Map<string, string>();
    for (const phase of this.phases()) {
      const scope = new Scope(this.rowScope);
      const steps = phase.map((node) => {
        const accumulator = accumulators[node.op](node as never) as Accumulator;
        const name = `s${this.names++}`;
        const names = accumulator.variables.map(({ suffix }) => name + suffix);
        const values = accumulator.values(accumulator.element(this, scope, r));
        const defined = values.map((value, i) =>
          value === 'r' ? value : this.define(scope, value, accumulator.variables[i].type),
        );
        scope.lines.push(`  ${accumulator.take(names, defined)}`);
        return { node, accumulator, names };
      });
      flush();
      for (const { accumulator, names } of steps) {
        accumulator.variables.forEach(({ type, initial, suffix }, i) => {
          body.push(`  var ${names[i]}: ${type} = ${initial};`);
          shared.set(`shared_${type}${suffix}`, type);
        });
      }
      body.push(...loop(scope));
      for (const { node, accumulator, names } of steps) {
        body.push(...joinThreads(accumulator, names, { across, along }, rows.contiguous));
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
      if (size === wide) scope.lines.push(`  ${this.store(scope, result, o.times(rows.inner).plus(r))}`);
      else if (size === narrow) stores.push(this.store(this.rowScope, result, o));
      else throw new NotFusable(`a result of ${size} elements among rows of ${wide}`);
    }
    flush();
    if (stores.length > 0)
      body.push(`  if (row < ${rows.outer} && member == 0) {`, ...stores.map((line) => `  ${line}`), '  }');
    if (scope.lines.length > 0) body.push(`  if (row < ${rows.outer}) {`, ...loop(scope), '  }');
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
    const stored = result.dtype === 'bool' ? `select(0, 1, ${value})` : value;
    return `  out${this.group.results.indexOf(result)}[${place.toWgsl()}] = ${stored};`;
  }

  /** The value's element at coordinates of its shape, as a WGSL expression. */
  at(scope: Scope, value: StoredValue, coordinates: readonly Index[]): string {
    const place = linear(coordinates, value.shape);
    const reduced = this.reduced.get(value.storage);
    const node = this.group.nodes.get(value.storage);
    if (node !== undefined && isReduction(node)) {
      if (reduced !== undefined && place.toWgsl() === Index.variable('o', this.group.rows!.outer).toWgsl())
        return reduced;
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
        : this.compute(home, node, viewed(value, node.output, coordinates, place));
    const name = this.define(home, expression, wgslTypes[value.dtype]);
    home.set(key, name);
    return name;
  }

  define(scope: Scope, expression: string, type: string): string {
    if (++this.statements > MAX_STATEMENTS) throw new NotFusable('too long');
    const name = `v${this.names++}`;
    if (scope !== this.rowScope) this.perElement.add(name);
    scope.lines.push(`  let ${name}: ${type} = ${expression};`);
    return name;
  }

  private load(value: StoredValue, place: Index): string {
    let binding = this.reads.findIndex(({ storage }) => storage === value.storage);
    if (binding < 0) binding = this.reads.push(value) - 1;
    const element = `in${binding}[${place.toWgsl()}]`;
    return value.dtype === 'bool' ? `(${element} != 0)` : element;
  }

  /** The op of a node, at coordinates of its result. */
  private compute(scope: Scope, node: ProgramNode, at: readonly Index[]): string {
    const operand = (i: number, coordinates: readonly Index[]) => this.at(scope, node.inputs[i], coordinates);
    switch (node.op) {
      case 'iota':
        return `${storedTypes[node.output.dtype]}(${at[node.attributes.axis].toWgsl()})`;
      case 'cast':
        return casts[node.inputs[0].dtype][node.output.dtype](operand(0, at));
      case 'transpose': {
        const { permutation } = node.attributes;
        return operand(
          0,
          permutation.map((_, axis) => at[permutation.indexOf(axis)]),
        );
      }
      case 'broadcastTo':
        return operand(0, aligned(at, node.inputs[0].shape));
      case 'slice': {
        const { starts, strides } = node.attributes;
        return operand(
          0,
          at.map((index, axis) => index.times(strides[axis]).plus(Index.number(starts[axis]))),
        );
      }
      case 'reverse': {
        const { axes } = node.attributes;
        const { shape } = node.output;
        return operand(
          0,
          at.map((index, axis) =>
            axes.includes(axis) ? Index.number(shape[axis] - 1).plus(index.times(-1)) : index,
          ),
        );
      }
      case 'gather': {
        const [table, indices] = node.inputs;
        const rank = indices.shape.length;
        const index = operand(1, at.slice(0, rank));
        const row = this.define(scope, `clamp(${index}, 0, ${table.shape[0] - 1})`, 'i32');
        return operand(0, [Index.variable(row, table.shape[0]), ...at.slice(rank)]);
      }
      case 'pad':
        return this.padded(scope, node, at);
      case 'concat':
        return this.joined(scope, node, at);
      default: {
        if (!(node.op in elementwise))
          throw new NotFusable(`${node.op} is not computed by generated kernels`);
        const operands = node.inputs.map(({ shape }, i) => operand(i, aligned(at, shape)));
        return elementwise[node.op as ElementwiseName](operands, node.inputs[0].dtype);
      }
    }
  }

  /** A variable that is assigned in branches; each branch is a scope of its own. */
  private branches(
    scope: Scope,
    type: DType,
    otherwise: string,
    cases: readonly { readonly condition: string; readonly value: (inner: Scope) => string }[],
  ): string {
    const name = `b${this.names++}`;
    const lines = [`  var ${name}: ${wgslTypes[type]} = ${otherwise};`];
    for (const [i, { condition, value }] of cases.entries()) {
      const inner = new Scope(scope);
      const result = value(inner);
      lines.push(`  ${i > 0 ? 'else ' : ''}if (${condition}) {`, ...inner.lines.map((line) => `  ${line}`));
      lines.push(`    ${name} = ${result};`, '  }');
    }
    scope.lines.push(...lines);
    return name;
  }

  private padded(scope: Scope, node: Extract<ProgramNode, { op: 'pad' }>, at: readonly Index[]): string {
    const [x] = node.inputs;
    const { low, high, interior } = node.attributes;
    const conditions: string[] = [];
    const inside = at.map((index, axis) => {
      const step = interior[axis] + 1;
      if (low[axis] === 0 && high[axis] === 0 && step === 1) return index;
      const from = this.define(scope, index.plus(Index.number(-low[axis])).toWgsl(), 'i32');
      const span = (x.shape[axis] - 1) * step + 1;
      conditions.push(`${from} >= 0`, `${from} < ${span}`);
      if (step > 1) conditions.push(`${from} % ${step} == 0`);
      return Index.variable(from, span).div(step);
    });
    const value = (inner: Scope) => this.at(inner, x, inside);
    return this.branches(scope, x.dtype, literal(0, x.dtype), [
      { condition: conditions.join(' && '), value },
    ]);
  }

  private joined(scope: Scope, node: Extract<ProgramNode, { op: 'concat' }>, at: readonly Index[]): string {
    const { axis } = node.attributes;
    const { dtype } = node.output;
    const place = this.define(scope, at[axis].toWgsl(), 'i32');
    let start = 0;
    const cases = node.inputs.map((input) => {
      const from = start;
      start += input.shape[axis];
      const value = (inner: Scope) => {
        const offset = from === 0 ? place : this.define(inner, `${place} - ${from}`, 'i32');
        const own = Index.variable(offset, input.shape[axis]);
        return this.at(
          inner,
          input,
          at.map((index, a) => (a === axis ? own : index)),
        );
      };
      return { condition: `${place} < ${start}`, value };
    });
    return this.branches(scope, dtype, literal(0, dtype), cases);
  }

  private finish(
    body: readonly string[],
    threads: number,
    workgroups: number,
    shared: readonly string[] = [],
  ): Kernel {
    const { results } = this.group;
    const bindings = [
      ...results.map(
        ({ dtype }, i) =>
          `@group(0) @binding(${i}) var<storage, read_write> out${i}: array<${storedTypes[dtype]}>;`,
      ),
      ...this.reads.map(
        ({ dtype }, i) =>
          `@group(0) @binding(${results.length + i}) var<storage, read> in${i}: array<${storedTypes[dtype]}>;`,
      ),
    ];
    const main = [
      `@compute @workgroup_size(${threads})`,
      'fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,',
      '        @builtin(local_invocation_index) local: u32) {',
      ...body,
      '}',
    ].join('\n');
    const wgsl = [...bindings, ...shared, functionsFor(main), main].filter(Boolean).join('\n');
    return { wgsl, workgroups, reads: this.reads };
  }
}
