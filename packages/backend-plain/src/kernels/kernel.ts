/** What a kernel is: prepared once for the types of an instruction, then called with data. */
import type { TensorType } from '@meanflow/core';
import type { OpAttributes, PrimitiveName } from '@meanflow/core/backend';
import type { Data } from '../values.js';

/** Computes one result; operands are not written to, the result is fresh memory. */
export type Run = (...operands: Data[]) => Data;

/** Prepares an instruction: whatever depends on types and attributes only is computed here. */
export type Kernel<A> = (instruction: {
  readonly inputs: readonly TensorType[];
  readonly output: TensorType;
  readonly attributes: A;
}) => Run;

/** One for every primitive: leaving an op out is a compile error. */
export type KernelTable = { readonly [K in PrimitiveName]: Kernel<OpAttributes[K]> };
