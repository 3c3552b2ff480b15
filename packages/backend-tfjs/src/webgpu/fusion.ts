/**
 * Fusion: which nodes run together as one generated kernel, so that a program costs as few dispatches, and passes over
 * memory, as its data flow allows. Nodes are visited from the results backwards. A node whose consumers are all in one
 * kernel is computed there, at whatever index they ask for; one that several kernels need is written to memory by the
 * kernel of a consumer that can, or of one that reads the same, or its own. A kernel that cannot be written (too many
 * buffers, a reduction that would be needed before it is done) is not made: every change to a group is tried on the writer
 * first. That no two kernels wait for each other, `Precedence` holds.
 *
 * Convolutions and barriers stay by themselves. A large matrix product is a kernel with what is done to its result.
 */
import { sizeOf } from '@meanflow/core';
import type { FusionOptions } from '../options.js';
import type { Program, ProgramNode, StorageId } from '../program/program.js';
import { Building, isCompatible, isElementwise, type Consumer, type Walk } from './building.js';
import { elementwise } from './functions.js';
import { KernelWriter, type Kernel, type KernelGroup, type WriterOptions } from './kernel-writer.js';
import { multiplications, type ProductNode } from './product-kernel.js';
import { inOrder } from './order.js';
import { Precedence } from './precedence.js';
import { isReduction, rowsOf } from './reductions.js';
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

/** The ops that a unit makes, in their order. */
export const opsOf = (unit: Unit): string =>
  unit.kind === 'node'
    ? unit.node.op
    : [...unit.group.nodes.values()]
        .map(({ op }) => op)
        .reverse()
        .join(' ');

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
/** An operand that is so many times smaller than what is walked is not worth a pass in common. */
const SHARED = 4;

class Fusion {
  private readonly precedence = new Precedence();
  private readonly made: Consumer[] = [];
  private readonly scalars = new Map<StorageId, number>();
  private readonly outputs: ReadonlySet<StorageId | undefined>;
  private readonly writing: WriterOptions;
  private readonly makers: ReadonlyMap<StorageId, ProgramNode>;
  /** How many nodes read each storage. */
  private readonly uses = new Map<StorageId, number>();
  /** What was added to a kernel together with the node that reads it. */
  private readonly taken = new Set<StorageId>();
  /** What a kernel would write over before all others have read it. */
  readonly needed = new Set<StorageId>();

  /** @param donated inputs that kernels may write over */
  constructor(
    private readonly program: Program,
    private readonly options: FusionOptions,
    private readonly donated: ReadonlySet<StorageId>,
  ) {
    const { threadsPerRow, products } = options;
    this.writing = { threadsPerRow, productStyle: products === 'tiles' ? 'tiles' : 'registers' };
    this.outputs = new Set(program.outputs.map(({ value }) => value.storage));
    this.makers = new Map(program.nodes.map((node) => [node.output.storage, node]));
    for (const node of program.nodes) {
      for (const storage of new Set(node.inputs.map((input) => input.storage)))
        this.uses.set(storage, (this.uses.get(storage) ?? 0) + 1);
      if (node.op === 'constant' && node.attributes.value.size === 1)
        this.scalars.set(node.output.storage, node.attributes.value.data[0]!);
    }
  }

  /** @returns nothing where kernels write over what others may read after them: `needed` */
  run(): Unit[] | undefined {
    for (const node of [...this.program.nodes].reverse()) this.place(node);
    for (const kernel of this.made) {
      if (!(kernel instanceof Building)) continue;
      for (const { value } of kernel.kernel.inPlace)
        if (!this.precedence.letOverwrite(kernel, value.storage)) this.needed.add(value.storage);
    }
    if (this.needed.size > 0) return undefined;
    return inOrder(this.program, this.made, this.precedence).map((made) =>
      made instanceof Building
        ? { kind: 'kernel', group: made, kernel: made.kernel }
        : { kind: 'node', node: made.node },
    );
  }

  private place(node: ProgramNode): void {
    const { storage } = node.output;
    if (this.taken.has(storage)) return;
    const consumers = [...this.precedence.readersOf(storage)];
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
    } else if (!this.joinAsResult(node, consumers, kernels) && !this.joinSibling(node, consumers)) {
      const own = new Building(rank, this.scalars, this.donated);
      this.made.push(own);
      if (!this.tryAdd(own, node, { isResult: true, force: true })) throw new NotFusable(node.op);
    }
  }

  private isGenerated(node: ProgramNode): boolean {
    // tfjs has no kernels on float16.
    if (this.isLargeProduct(node)) return this.options.products !== 'tfjs' || node.output.dtype === 'float16';
    return isInlineable(node) || isReduction(node);
  }

  /** A product that is not made element by element. */
  private isLargeProduct(node: ProgramNode): node is ProductNode {
    return node.op === 'matMul' && multiplications(node) > this.options.directProduct;
  }

  /** What a node makes of the kernel that takes it in: whose rows or whose product's elements it walks. */
  private walkOf(node: ProgramNode): Walk {
    if (this.isLargeProduct(node)) return { product: node };
    return isReduction(node) ? { rows: rowsOf(node) } : {};
  }

  private single(node: ProgramNode, rank: number): void {
    const single = { node, rank };
    this.made.push(single);
    this.precedence.writes(single, node.output.storage);
    this.note(node, single);
  }

  private note(node: ProgramNode, consumer: Consumer): void {
    for (const { storage } of node.inputs) this.precedence.reads(consumer, storage);
  }

  /** Computes the node within every kernel that needs it, and nowhere else. */
  private inline(node: ProgramNode, kernels: readonly Building[]): boolean {
    if (!this.options.fuse) return false;
    const isFactor = kernels.some(({ factors }) => factors.has(node.output.storage));
    if (isFactor && !MOVED.has(node.op) && !this.isScaling(node)) return false;
    if (kernels.length > 1 && (!CHEAP.has(node.op) || this.variableOperands(node) > 1)) return false;
    const size = sizeOf(node.output.shape);
    if (COSTLY.has(node.op) && kernels.some((kernel) => kernel.size >= REPEATS * size)) return false;
    const states = kernels.map((kernel) => this.stateOf(kernel));
    if (kernels.every((kernel) => this.tryAdd(kernel, node, { isResult: false }))) return true;
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
    return kernels.some((kernel) => {
      const fits = isReduction(node) || size === kernel.size || size === kernel.rows?.outer;
      const isFactor = kernel.factors.has(node.output.storage);
      return fits && !isFactor && this.addResult(kernel, node, consumers);
    });
  }

  /** Writes the node's result in a kernel that reads one of its operands and walks the same elements: one pass for both. */
  private joinSibling(node: ProgramNode, consumers: readonly Consumer[]): boolean {
    if (!this.options.fuse || this.isLargeProduct(node)) return false;
    const size = sizeOf(node.output.shape);
    const walked = Math.max(...[...node.inputs, node.output].map(({ shape }) => sizeOf(shape)));
    const operands = [node, ...this.ownOperands(node)].flatMap(({ inputs }) => inputs);
    const large = operands.filter(({ shape }) => SHARED * sizeOf(shape) >= walked);
    const readers = new Set(large.flatMap(({ storage }) => [...this.precedence.readersOf(storage)]));
    return [...readers].some((kernel) => {
      if (!(kernel instanceof Building) || consumers.includes(kernel)) return false;
      const { rows } = this.walkOf(node);
      const isSameWalk =
        rows !== undefined
          ? kernel.rows !== undefined && isCompatible(kernel, rows)
          : size === (kernel.rows?.contiguous === false ? kernel.rows.outer : kernel.size);
      return isSameWalk && this.addResult(kernel, node, consumers);
    });
  }

  /** Writes the node's result in a kernel that can run before all that need it. */
  private addResult(kernel: Building, node: ProgramNode, consumers: readonly Consumer[]): boolean {
    if (!this.precedence.mayPrecede(kernel, consumers)) return false;
    if (!this.tryAdd(kernel, node, { isResult: true })) return false;
    this.precedence.putBefore(kernel, consumers);
    return true;
  }

  private variableOperands(node: ProgramNode): number {
    return node.inputs.filter(({ storage }) => !this.scalars.has(storage)).length;
  }

  /** One step of arithmetic on one operand's element, such as the scale of attention. */
  private isScaling(node: ProgramNode): boolean {
    return CHEAP.has(node.op) && this.variableOperands(node) === 1;
  }

  private stateOf({ results, rows, product, kernel }: Building) {
    return { results, rows, product, kernel };
  }

  private restore(kernel: Building, node: ProgramNode, state: ReturnType<Fusion['stateOf']>): void {
    Object.assign(kernel, state);
    kernel.nodes.delete(node.output.storage);
    for (const { storage } of node.inputs) {
      const isStillRead = [...kernel.nodes.values()].some(({ inputs }) =>
        inputs.some((input) => input.storage === storage),
      );
      if (!isStillRead) this.precedence.readsNoLonger(kernel, storage);
    }
  }

  /**
   * Adds the node to the kernel, if it can be written there. Where that would bind too many buffers, what only the node reads
   * comes with it: it takes operands that the kernel mostly reads already, in place of a buffer of its own.
   */
  private tryAdd(kernel: Building, node: ProgramNode, how: { isResult: boolean; force?: boolean }): boolean {
    const added = this.add(kernel, [node], how);
    if (added !== 'too many buffers') return added === 'added';
    const own = this.ownOperands(node);
    if (own.length === 0 || this.add(kernel, [node, ...own], how) !== 'added') return false;
    for (const { output } of own) this.taken.add(output.storage);
    return true;
  }

  /** Steps of arithmetic on the elements that the node walks, which nothing else reads. */
  private ownOperands(node: ProgramNode): ProgramNode[] {
    const size = Math.max(...[...node.inputs, node.output].map(({ shape }) => sizeOf(shape)));
    const found: ProgramNode[] = [];
    const visit = ({ inputs }: ProgramNode): void => {
      for (const { storage } of inputs) {
        const maker = this.makers.get(storage);
        if (maker === undefined || !(maker.op in elementwise) || this.outputs.has(storage)) continue;
        if (this.uses.get(storage) !== 1 || sizeOf(maker.output.shape) !== size) continue;
        found.push(maker);
        visit(maker);
      }
    };
    visit(node);
    return found;
  }

  private add(
    kernel: Building,
    nodes: readonly [ProgramNode, ...ProgramNode[]],
    { isResult, force = false }: { isResult: boolean; force?: boolean },
  ): 'added' | 'too many buffers' | 'impossible' {
    const [node] = nodes;
    if (kernel.nodes.size + nodes.length > MAX_NODES || kernel.nodes.has(node.output.storage))
      return 'impossible';
    const { rows, product } = this.walkOf(node);
    if (rows !== undefined && !isCompatible(kernel, rows)) return 'impossible';
    if (product !== undefined && !isElementwise(kernel, sizeOf(product.output.shape))) return 'impossible';
    const before = this.stateOf(kernel);
    for (const each of nodes) kernel.nodes.set(each.output.storage, each);
    if (isResult) kernel.results = [...kernel.results, node.output];
    if (rows !== undefined) kernel.rows ??= rows;
    if (product !== undefined) kernel.product = product;
    const written = this.written(kernel);
    if (
      written !== undefined &&
      (force || written.reads.length + kernel.results.length <= this.options.maxBuffers)
    ) {
      kernel.kernel = written;
      for (const each of nodes) this.note(each, kernel);
      if (isResult) this.precedence.writes(kernel, node.output.storage);
      if (node.op === 'matMul' || kernel.factors.has(node.output.storage))
        for (const { storage } of node.inputs) kernel.factors.add(storage);
      return 'added';
    }
    Object.assign(kernel, before);
    for (const { output } of nodes) kernel.nodes.delete(output.storage);
    return written === undefined ? 'impossible' : 'too many buffers';
  }

  private written(group: KernelGroup): Kernel | undefined {
    try {
      return new KernelWriter(group, this.writing).write();
    } catch (error) {
      if (error instanceof NotFusable) return undefined;
      throw error;
    }
  }
}

/**
 * The program as units, in an order in which they can run.
 *
 * @param donated inputs that the run may write over
 */
export function fuse(
  program: Program,
  options: FusionOptions,
  donated: ReadonlySet<StorageId> = new Set(),
): Unit[] {
  const prepared = splitLongConcatenations(splitLongReductions(program), options.maxBuffers);
  const isOutput = new Set(program.outputs.map(({ value }) => value.storage));
  let free = new Set([...donated].filter((storage) => !isOutput.has(storage)));
  for (;;) {
    const fusion = new Fusion(prepared, options, free);
    const units = fusion.run();
    if (units !== undefined) return units;
    free = new Set([...free].filter((storage) => !fusion.needed.has(storage)));
  }
}

/** The storages of inputs that each run consumes. */
export const donatedOf = ({ inputs }: Program, isState: (name: string) => boolean): Set<StorageId> =>
  new Set(inputs.flatMap(({ name, value }) => (isState(name) ? (value.storage ?? []) : [])));
