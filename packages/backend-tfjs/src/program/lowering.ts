/** Lowering: how one primitive of a graph becomes nodes of a program. */
import type { TensorType } from '@meanflow/core';
import type { ArityOf, OpAttributes, Operands, PrimitiveName } from '@meanflow/core/backend';
import type { ProgramBuilder, StoredValue } from './program.js';

export interface LoweringContext<K extends PrimitiveName> {
  readonly builder: ProgramBuilder;
  readonly inputs: Operands<ArityOf<K>, StoredValue>;
  readonly attributes: OpAttributes[K];
  readonly output: TensorType;
}

export type Lowering<K extends PrimitiveName> = (context: LoweringContext<K>) => StoredValue;

/** One entry per primitive: leaving one out does not compile. */
export type Lowerings = { readonly [K in PrimitiveName]: Lowering<K> };
