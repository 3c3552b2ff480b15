/** Building: the nodes that become one generated kernel, while fusion puts them together. */
import { sizeOf } from '@meanflow/core';
import type { ProgramNode, StorageId, StoredValue } from '../program/program.js';
import type { Kernel, KernelGroup } from './kernel-writer.js';
import type { ProductNode } from './product-kernel.js';
import type { Rows } from './reductions.js';

/** A kernel that is being put together. */
export class Building {
  readonly nodes = new Map<StorageId, ProgramNode>();
  results: StoredValue[] = [];
  rows?: Rows;
  product?: ProductNode;
  kernel!: Kernel;
  /** Operands of matrix products, which are read many times: to be moved here, but not to be computed. */
  readonly factors = new Set<StorageId>();

  constructor(
    public rank: number,
    readonly scalars: KernelGroup['scalars'],
    readonly donated: KernelGroup['donated'],
  ) {}

  /** Elements of the largest result, which the kernel walks. */
  get size(): number {
    return this.rows === undefined ? sizeOf(this.results[0]!.shape) : this.rows.outer * this.rows.inner;
  }
}

/** What a kernel walks, if it is not the elements of its results: at most one of the two. */
export interface Walk {
  readonly rows?: Rows;
  readonly product?: ProductNode;
}

/** A node by itself. */
export interface Single {
  readonly node: ProgramNode;
  rank: number;
}

/** What is run at once; its rank is above those of all that run after it. */
export type Consumer = Building | Single;

/** Whether a kernel can walk these rows: it does already, or all it writes are their elements or their results. */
export function isCompatible(kernel: Building, rows: Rows): boolean {
  const { rows: own, product, results } = kernel;
  if (product !== undefined) return false;
  if (own !== undefined)
    return own.outer === rows.outer && own.inner === rows.inner && own.contiguous === rows.contiguous;
  const sizes = results.map(({ shape }) => sizeOf(shape));
  return sizes.every((size) => size === rows.outer || (rows.contiguous && size === rows.outer * rows.inner));
}

/** Whether a kernel writes so many elements each, one by one. */
export function isElementwise({ rows, product, results }: Building, size: number): boolean {
  return rows === undefined && product === undefined && results.every(({ shape }) => sizeOf(shape) === size);
}
