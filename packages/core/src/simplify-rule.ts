/** What the rewrite rules of `simplify` are made of: their form, and what they ask about a tensor. */
import type { ArityOf, Operands, PrimitiveAttributes, PrimitiveName } from './ops/attributes.js';
import { broadcastShapes } from './ops/broadcasting.js';
import type { Tensor, TraceNode } from './tensor.js';
import { sameShape, sizeOf } from './types.js';

/** Adds an instruction, itself simplified. */
export type Emit = <K extends PrimitiveName>(
  op: K,
  inputs: readonly Tensor[],
  attributes: PrimitiveAttributes[K],
) => Tensor;

/** What a rule may do and know. */
export interface RuleContext {
  readonly emit: Emit;
  /** Whether nothing else needs this value, so that it goes when the rule replaces it. */
  readonly usedOnce: (tensor: Tensor) => boolean;
}

export type Rule<K extends PrimitiveName> = (
  inputs: Operands<ArityOf<K>, Tensor>,
  attributes: PrimitiveAttributes[K],
  context: RuleContext,
) => Tensor | undefined;

/** The node behind a tensor, if it is of the given op. */
export function madeBy<K extends PrimitiveName>(
  tensor: Tensor,
  op: K,
): Extract<TraceNode, { readonly op: K }> | undefined {
  const isOne = (node: TraceNode): node is Extract<TraceNode, { readonly op: K }> => node.op === op;
  return isOne(tensor.node) ? tensor.node : undefined;
}

/** The number that every element of a tensor is known to be. */
export function uniformValue(tensor: Tensor): number | undefined {
  const source = madeBy(tensor, 'broadcastTo')?.inputs[0] ?? tensor;
  const value = madeBy(source, 'constant')?.attributes.value;
  return value?.size === 1 ? value.data[0] : undefined;
}

const isConstant = (tensor: Tensor): boolean => tensor.node.op === 'constant';

/** Largest value that constant folding stores in the graph, in elements. */
export const FOLD_LIMIT = 4096;

/** Whether folding computes with this constant. */
export const isFoldable = (tensor: Tensor): boolean =>
  isConstant(tensor) && sizeOf(tensor.shape) <= FOLD_LIMIT;
export const isScalarConstant = (tensor: Tensor): boolean => tensor.rank === 0 && isConstant(tensor);

/** What a value is a repetition of: the operand of `broadcastTo`, or a constant of one element as a scalar. */
export function repeated(tensor: Tensor, emit: Emit): Tensor {
  const source = madeBy(tensor, 'broadcastTo')?.inputs[0] ?? tensor;
  const isSingle = isConstant(source) && source.rank > 0 && sizeOf(source.shape) === 1;
  return isSingle ? emit('reshape', [source], { shape: [] }) : source;
}

/** Whether dropping `other` from a binary op with `kept` leaves the result's shape unchanged. */
export const carriesShape = (kept: Tensor, other: Tensor): boolean =>
  sameShape(broadcastShapes([kept.shape, other.shape]), kept.shape);
