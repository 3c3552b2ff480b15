/**
 * Products within fused calls: where one fused call is all that reads a product, its body goes over the product's rows while they
 * are in the cache, and the product is written nowhere.
 */
import { sizeOf } from '@meanflow/core';
import type { CompositeCall, Instruction, ValueId, Program } from '@meanflow/core/backend';
import { bodySpace, isFused } from './lower-fused.js';
import type { Readers } from './needs.js';
import type { Products, StridedProduct } from './products.js';

/** The instruction of a fused call. */
export type FusedInstruction = Instruction & { readonly op: 'composite' };

/** What a fused call goes over. */
export interface ProductWithin {
  readonly product: StridedProduct;
  /** In whose place the product was done. */
  readonly instruction: Instruction;
  /** Which of the call's inputs it is. */
  readonly input: number;
}

/** The right factor is laid out whole for each thread: in elements, what is still near enough. */
const LARGEST_FACTOR = 2 ** 20;

export interface Planned {
  readonly products: Products;
  readonly readers: Readers;
  /** Where a value's elements lie, as a value of the same elements. */
  readonly memory: (value: ValueId) => ValueId;
  /** Values that sessions have before they run. */
  readonly constants: ReadonlySet<ValueId>;
}

export function productsWithin(
  graph: Program,
  { products, readers, memory, constants }: Planned,
): ReadonlyMap<FusedInstruction, ProductWithin> {
  const makers = new Map<ValueId, Instruction>();
  for (const [instruction, { c }] of products) makers.set(c.value, instruction);
  const found = new Map<FusedInstruction, ProductWithin>();
  for (const instruction of graph.instructions) {
    if (!isFusedInstruction(instruction)) continue;
    for (const [input, value] of instruction.inputs.entries()) {
      const made = memory(value);
      const maker = makers.get(made);
      const product = maker && products.get(maker);
      const isReadOnce = instruction.inputs.filter((other) => memory(other) === made).length === 1;
      if (product === undefined || !isReadOnce || readers.get(made)?.length !== 1) continue;
      if (!isWalked(instruction.attributes, input, product)) continue;
      if (!constants.has(product.b.value) && !isWorthPacking(product)) continue;
      const best = found.get(instruction)?.product;
      if (best === undefined || work(product) > work(best))
        found.set(instruction, { product, instruction: maker!, input });
    }
  }
  return found;
}

const isFusedInstruction = (instruction: Instruction): instruction is FusedInstruction =>
  instruction.op === 'composite' && isFused(instruction.attributes);

const work = ({ batch, rows, columns, terms }: StridedProduct): number =>
  sizeOf(batch) * rows * columns * terms;

/** Whether a body goes over a product's rows in the order in which they are made, and over all of them. */
function isWalked(call: CompositeCall, input: number, { batch, rows, columns, c }: StridedProduct): boolean {
  const space = bodySpace(call);
  const { body } = call;
  const stack = sizeOf(batch);
  const strides = batch.map((_, axis) => rows * columns * sizeOf(batch.slice(axis + 1)));
  return (
    space.rows * space.row === stack * rows * columns &&
    sizeOf(body.types[body.inputs[input]!.value]!.shape) === stack * rows * columns &&
    columns % space.row === 0 &&
    c.offset === 0 &&
    c.column === 1 &&
    batch.every((size, axis) => size === 1 || c.batch[axis] === strides[axis])
  );
}

/** Rows are shared out among threads, and each of them lays out all columns; a factor that never changes is laid out beforehand. */
const isWorthPacking = ({ batch, rows, columns, terms }: StridedProduct): boolean =>
  columns <= sizeOf(batch) * rows && terms * columns <= LARGEST_FACTOR;
