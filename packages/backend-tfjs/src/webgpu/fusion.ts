/**
 * Fusion: which nodes run together as one generated kernel, so that a program costs as few dispatches, and passes over
 * memory, as its data flow allows. Nodes are visited from the results backwards. A node whose consumers are all in one
 * kernel is computed there, at whatever index they ask for; one that several kernels need is written to memory by the
 * kernel of a consumer that can, or its own. A kernel that cannot be written (too many buffers, a reduction that would
 * be needed before it is done) is not made: every change to a group is tried on the writer first.
 *
 * Large matrix products, convolutions and barriers stay by themselves. That no two kernels wait for each other is kept by
 * ranks: a kernel's rank is above those of all its consumers.
 */
import { sizeOf } from '@meanflow/core';
import type { FusionOptions } from '../options.js';
import type { Program, ProgramNode, StorageId, StoredValue } from '../program/program.js';
import { elementwise } from './functions.js';
import { KernelWriter, type Kernel, type KernelGroup } from './kernel-writer.js';
import { isReduction, rowsOf, type Rows } from './reductions.js';
import { NotFusable } from './scope.js';
import { splitLongConcatenations, splitLongReductions } from './split.js';

/** A node that is run by itself, by tfjs. */
export interface NodeUnit {
  readonly kind: 'node';
  readonly node: ProgramNode;
}

/** Nodes that run as one generated kernel. */
export interface KernelUnit {
  readonly kind: 'kernel';
  readonly group: KernelGroup;
  readonly kernel: Kernel;
}

export type Unit = NodeUnit | KernelUnit;

/** Nodes of one kernel at most: compilation of a shader takes longer than linearly. */
const MAX_NODES = 96;

const movements: ReadonlySet<string> = new Set(['iota', 'transpose', 'broadcastTo', 'slice', 'reverse', 'pad', 'concat', 'gather']); // prettier-ignore

/** Read at another index and nothing else. */
const MOVED: ReadonlySet<string> = new Set(['transpose', 'broadcastTo', 'slice', 'reverse']);

/** Computed at any index from operands at theirs. */
const isInlineable = ({ op }: ProgramNode) => op in elementwise || op === 'cast' || movements.has(op);

/** Worth computing again in each kernel that needs it: an index, or a step of arithmetic on one element. */
const CHEAP: ReadonlySet<string> = new Set(['iota', 'transpose', 'broadcastTo', 'slice', 'reverse', 'cast', 'neg', 'not', 'abs', 'isFinite', 'add', 'sub', 'mul', 'equal', 'less', 'lessEqual']); // prettier-ignore
/** Not worth computing for every element of a kernel that is much larger than its result. */
const COSTLY: ReadonlySet<string> = new Set([
  'sin',
  'cos',
  'tanh',
  'erf',
  'erfc',
  'pow',
  'exp',
  'log',
  'log1p',
  'sigmoid',
]);
const REPEATS = 16;

class Building {
  readonly nodes = new Map<StorageId, ProgramNode>();
  results: StoredValue[] = [];
  rows?: Rows;
  kernel!: Kernel;
  /** Operands of matrix products, which are read many times: to be moved here, but not to be computed. */
  readonly factors = new Set<StorageId>();

  constructor(
    readonly rank: number,
    readonly scalars: KernelGroup['scalars'],
  ) {}

  /** Elements of the largest result, which the kernel walks. */
  get size(): number {
    return this.rows === undefined ? sizeOf(this.results[0]!.shape) : this.rows.outer * this.rows.inner;
  }
}

interface Single {
  readonly node: ProgramNode;
  readonly rank: number;
}

type Consumer = Building | Single;

class Fusion {
  private readonly consumers = new Map<StorageId, Set<Consumer>>();
  private readonly made: Consumer[] = [];
  private readonly scalars = new Map<StorageId, number>();
  private readonly outputs: ReadonlySet<StorageId | undefined>;

  constructor(
    private readonly program: Program,
    private readonly options: FusionOptions,
  ) {
    this.outputs = new Set(program.outputs.map(({ value }) => value.storage));
    for (const node of program.nodes) {
      if (node.op === 'constant' && node.attributes.value.size === 1)
        this.scalars.set(node.output.storage, node.attributes.value.data[0]!);
    }
  }

  run(): Unit[] {
    for (const node of [...this.program.nodes].reverse()) this.place(node);
    return this.ordered().map((made) =>
      made instanceof Building
        ? { kind: 'kernel', group: made, kernel: made.kernel }
        : { kind: 'node', node: made.node },
    );
  }

  private place(node: ProgramNode): void {
    const { storage } = node.output;
    const consumers = [...(this.consumers.get(storage) ?? [])];
    const kernels = consumers.filter((consumer) => consumer instanceof Building);
    const isStored = this.outputs.has(storage) || kernels.length < consumers.length;
    if (consumers.length === 0 && !isStored) return;
    const rank = 1 + Math.max(-1, ...consumers.map((consumer) => consumer.rank));
    if (this.scalars.has(storage)) {
      if (isStored) this.single(node, rank);
    } else if (!this.isGenerated(node)) {
      this.single(node, rank);
    } else if (!isStored && this.inline(node, kernels)) {
      return;
    } else if (!this.joinAsResult(node, consumers, kernels)) {
      const own = new Building(rank, this.scalars);
      this.made.push(own);
      const rows = isReduction(node) ? rowsOf(node) : undefined;
      if (!this.tryAdd(own, node, { isResult: true, rows, force: true })) throw new NotFusable(node.op);
    }
  }

  private isGenerated(node: ProgramNode): boolean {
    if (node.op !== 'matMul') return isInlineable(node) || isReduction(node);
    const { outer, inner } = rowsOf(node);
    return outer * inner <= this.options.directProduct;
  }

  private single(node: ProgramNode, rank: number): void {
    const single = { node, rank };
    this.made.push(single);
    this.note(node, single);
  }

  private note(node: ProgramNode, consumer: Consumer): void {
    for (const { storage } of node.inputs) {
      if (!this.consumers.has(storage)) this.consumers.set(storage, new Set());
      this.consumers.get(storage)!.add(consumer);
    }
  }

  /** Computes the node within every kernel that needs it, and nowhere else. */
  private inline(node: ProgramNode, kernels: readonly Building[]): boolean {
    if (!this.options.fuse) return false;
    const isFactor = kernels.some(({ factors }) => factors.has(node.output.storage));
    if (isFactor && !MOVED.has(node.op)) return false;
    if (kernels.length > 1 && (!CHEAP.has(node.op) || this.variableOperands(node) > 1)) return false;
    const size = sizeOf(node.output.shape);
    if (COSTLY.has(node.op) && kernels.some((kernel) => kernel.size >= REPEATS * size)) return false;
    const rows = isReduction(node) ? rowsOf(node) : undefined;
    const states = kernels.map((kernel) => this.stateOf(kernel));
    if (kernels.every((kernel) => this.tryAdd(kernel, node, { isResult: false, rows }))) return true;
    kernels.forEach((kernel, i) => this.restore(kernel, node, states[i]!));
    return false;
  }

  /** Writes the node's result in the kernel of one of its consumers, where it is computed anyway. */
  private joinAsResult(
    node: ProgramNode,
    consumers: readonly Consumer[],
    kernels: readonly Building[],
  ): boolean {
    if (!this.options.fuse) return false;
    const size = sizeOf(node.output.shape);
    const rows = isReduction(node) ? rowsOf(node) : undefined;
    return kernels.some((kernel) => {
      const isLast = consumers.every((other) => other === kernel || other.rank < kernel.rank);
      const fits = rows !== undefined || size === kernel.size || size === kernel.rows?.outer;
      const isFactor = kernel.factors.has(node.output.storage);
      return isLast && fits && !isFactor && this.tryAdd(kernel, node, { isResult: true, rows });
    });
  }

  private variableOperands(node: ProgramNode): number {
    return node.inputs.filter(({ storage }) => !this.scalars.has(storage)).length;
  }

  private stateOf({ results, rows, kernel }: Building) {
    return { results, rows, kernel };
  }

  private restore(kernel: Building, node: ProgramNode, state: ReturnType<Fusion['stateOf']>): void {
    Object.assign(kernel, state);
    kernel.nodes.delete(node.output.storage);
    for (const { storage } of node.inputs) {
      const isStillRead = [...kernel.nodes.values()].some(({ inputs }) =>
        inputs.some((input) => input.storage === storage),
      );
      if (!isStillRead) this.consumers.get(storage)?.delete(kernel);
    }
  }

  private tryAdd(
    kernel: Building,
    node: ProgramNode,
    { isResult, rows, force = false }: { isResult: boolean; rows: Rows | undefined; force?: boolean },
  ): boolean {
    if (kernel.nodes.size >= MAX_NODES || kernel.nodes.has(node.output.storage)) return false;
    if (rows !== undefined && !isCompatible(kernel, rows)) return false;
    const before = this.stateOf(kernel);
    kernel.nodes.set(node.output.storage, node);
    if (isResult) kernel.results = [...kernel.results, node.output];
    if (rows !== undefined) kernel.rows ??= rows;
    try {
      kernel.kernel = new KernelWriter(kernel, this.options.threadsPerRow).write();
      if (force || kernel.results.length + kernel.kernel.reads.length <= this.options.maxBuffers) {
        this.note(node, kernel);
        if (node.op === 'matMul' || kernel.factors.has(node.output.storage))
          for (const { storage } of node.inputs) kernel.factors.add(storage);
        return true;
      }
    } catch (error) {
      if (!(error instanceof NotFusable)) throw error;
    }
    Object.assign(kernel, before);
    kernel.nodes.delete(node.output.storage);
    return false;
  }

  /** What was made, in an order in which it can run, as close to the program's as dependencies let it. */
  private ordered(): Consumer[] {
    const position = new Map<StorageId, number>(
      this.program.nodes.map(({ output }, i) => [output.storage, i]),
    );
    const results = (made: Consumer) => (made instanceof Building ? made.results : [made.node.output]);
    const reads = (made: Consumer) => (made instanceof Building ? made.kernel.reads : made.node.inputs);
    const maker = new Map<StorageId, Consumer>();
    for (const made of this.made) for (const { storage } of results(made)) maker.set(storage, made);
    const first = (made: Consumer) => Math.min(...results(made).map(({ storage }) => position.get(storage)!));
    const order: Consumer[] = [];
    const done = new Set<Consumer>();
    const pending = [...this.made].sort((a, b) => first(b) - first(a));
    while (pending.length > 0) {
      const made = pending.at(-1)!;
      if (done.has(made)) {
        pending.pop();
        continue;
      }
      const missing = reads(made).flatMap(({ storage }) => {
        const needed = maker.get(storage);
        return needed === undefined || done.has(needed) ? [] : [needed];
      });
      if (missing.length > 0) pending.push(...missing.sort((a, b) => first(b) - first(a)));
      else {
        pending.pop();
        done.add(made);
        order.push(made);
      }
    }
    return order;
  }
}

/** Whether a kernel can walk these rows: it does already, or all it writes are their elements or their results. */
function isCompatible(kernel: Building, rows: Rows): boolean {
  const { rows: own, results } = kernel;
  if (own !== undefined)
    return own.outer === rows.outer && own.inner === rows.inner && own.contiguous === rows.contiguous;
  const sizes = results.map(({ shape }) => sizeOf(shape));
  return sizes.every((size) => size === rows.outer || (rows.contiguous && size === rows.outer * rows.inner));
}

/** The program as units, in an order in which they can run. */
export function fuse(program: Program, options: FusionOptions): Unit[] {
  const prepared = splitLongConcatenations(splitLongReductions(program), options.maxBuffers);
  return new Fusion(prepared, options).run();
}
