/**
 * What a lowering is: a function that writes one instruction of a graph as ONNX nodes and names the result. The map
 * `Lowerings` has an entry for every op that core knows, so that leaving one out does not compile.
 */
import type { TensorType } from '@meanflow/core';
import type { Arity, ArityOf, OpAttributes, Operands, PrimitiveName } from '@meanflow/core/backend';
import type { ValueName } from '../onnx/model.js';
import type { ModelBuilder } from '../onnx/model-builder.js';

/** A value in the model, with the type that the graph gives it. */
export interface Operand extends TensorType {
  readonly name: ValueName;
  /** The value of a scalar constant, where it is known. */
  readonly scalar?: number | undefined;
}

/** An operand of which it is known where its elements lie. */
export interface StoredOperand extends Operand {
  /** A value of the same elements under some shape, for who reads memory by strides. */
  readonly memory: ValueName;
}

export interface LoweringContext<K extends PrimitiveName> {
  readonly builder: ModelBuilder;
  readonly inputs: Operands<ArityOf<K>, Operand>;
  readonly attributes: OpAttributes[K];
  /** The result's type. */
  readonly output: TensorType;
}

export type Lowering<K extends PrimitiveName> = (context: LoweringContext<K>) => ValueName;

/** What depends on the operands alone. */
export type Elementwise<N extends Arity> = (context: {
  readonly builder: ModelBuilder;
  readonly inputs: Operands<N, Operand>;
}) => ValueName;

/** One lowering per op. Composites come apart in `lowerGraph`: they may have several results. */
export type Lowerings = { readonly [K in PrimitiveName]: Lowering<K> };
