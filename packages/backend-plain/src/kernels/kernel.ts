/** What a kernel is: prepared once for the types of an instruction, then called with data. */
import type { TensorType } from '@meanflow/core';
import type { Arity, ArityOf, OpAttributes, Operands, PrimitiveName } from '@meanflow/core/backend';
import type { Data } from '../values.js';

/** Computes one result of `N` operands, which are not written to; the result is fresh memory. */
export type Run<N extends Arity> = (...operands: Operands<N, Data>) => Data;

/** Prepares an instruction: whatever depends on types and attributes only is computed here. */
export type Kernel<N extends Arity, A = unknown> = (instruction: {
  readonly inputs: Operands<N, TensorType>;
  readonly output: TensorType;
  readonly attributes: A;
}) => Run<N>;

/** One for every primitive: leaving an op out is a compile error, and so is an operand that it has not. */
export type KernelTable = { readonly [K in PrimitiveName]: Kernel<ArityOf<K>, OpAttributes[K]> };
