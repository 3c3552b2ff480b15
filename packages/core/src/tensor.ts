/**
 * Tensor: a symbolic value, that is a type and its place in the program being traced. Applying an op to tensors
 * computes nothing; it adds a node to a graph that grows by reference, from each node to its operands. `trace`
 * closes such a graph over its inputs, and the transforms walk it.
 */
import type { OpAttributes, OpName } from './ops/attributes.js';
import * as functions from './functions.js';
import type { TensorLike } from './functions.js';
import { formatType, type DType, type Shape, type TensorType } from './types.js';

/** What can produce a tensor while tracing: a primitive, an input, or an alias that marks what is differentiated. */
export type TraceNode =
  | { [K in OpName]: NodeOf<K, OpAttributes[K]> }[OpName]
  | NodeOf<'input', { readonly name: string }>
  | NodeOf<'alias', Readonly<Record<never, never>>>;

interface NodeOf<K, A> {
  /** Grows with every node, so operands always have smaller ids: id order is a topological order. */
  readonly id: number;
  readonly op: K;
  readonly inputs: readonly Tensor[];
  readonly attributes: A;
  readonly outputs: readonly Tensor[];
}

let nextNodeId = 0;

/** @internal The id that the next node will have: larger than any that exists. */
export function nextId(): number {
  return nextNodeId;
}

/** A symbolic value of known dtype and shape. Made by `trace` and by ops, never by hand. */
export class Tensor implements TensorType {
  private constructor(
    readonly dtype: DType,
    readonly shape: Shape,
    /** @internal */
    readonly node: TraceNode,
    /** @internal */
    readonly index: number,
  ) {}

  /** @internal Adds a node and returns its outputs. */
  static emit<K extends TraceNode['op']>(
    op: K,
    inputs: readonly Tensor[],
    attributes: (TraceNode & { readonly op: K })['attributes'],
    types: readonly TensorType[],
  ): readonly Tensor[] {
    const outputs: Tensor[] = [];
    const node = { id: nextNodeId++, op, inputs, attributes, outputs } as unknown as TraceNode;
    types.forEach((type, index) => outputs.push(new Tensor(type.dtype, type.shape, node, index)));
    return outputs;
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  toString(): string {
    return `Tensor ${formatType(this)}`;
  }

  add(other: TensorLike): Tensor {
    return functions.add(this, other);
  }
  sub(other: TensorLike): Tensor {
    return functions.sub(this, other);
  }
  mul(other: TensorLike): Tensor {
    return functions.mul(this, other);
  }
  div(other: TensorLike): Tensor {
    return functions.div(this, other);
  }
  pow(exponent: TensorLike): Tensor {
    return functions.pow(this, exponent);
  }
  neg(): Tensor {
    return functions.neg(this);
  }
  square(): Tensor {
    return functions.square(this);
  }
  sqrt(): Tensor {
    return functions.sqrt(this);
  }
  exp(): Tensor {
    return functions.exp(this);
  }
  log(): Tensor {
    return functions.log(this);
  }
  /** Sum over `axes` (all by default); see {@link functions.sum}. */
  sum(axes?: number | readonly number[], options?: functions.ReduceOptions): Tensor {
    return functions.sum(this, axes, options);
  }
  /** Mean over `axes` (all by default); see {@link functions.mean}. */
  mean(axes?: number | readonly number[], options?: functions.ReduceOptions): Tensor {
    return functions.mean(this, axes, options);
  }
  /** Maximum over `axes` (all by default). */
  max(axes?: number | readonly number[], options?: functions.ReduceOptions): Tensor {
    return functions.max(this, axes, options);
  }
  /** The same elements in row-major order under another shape; one dimension may be −1. */
  reshape(shape: Shape): Tensor {
    return functions.reshape(this, shape);
  }
  /** Axes reordered; reversed by default. */
  transpose(permutation?: readonly number[]): Tensor {
    return functions.transpose(this, permutation);
  }
  /** Matrix product over the last axis of this and the second-to-last of `other`; see {@link functions.matmul}. */
  matmul(other: Tensor): Tensor {
    return functions.matmul(this, other);
  }
  broadcastTo(shape: Shape): Tensor {
    return functions.broadcastTo(this, shape);
  }
  cast(dtype: DType): Tensor {
    return functions.cast(this, dtype);
  }
}
