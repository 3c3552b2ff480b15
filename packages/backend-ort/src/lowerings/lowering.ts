/**
 * What a lowering is: a function that writes one instruction of a graph as ONNX nodes and names the result. The map
 * `Lowerings` has an entry for every op that core knows, so that leaving one out does not compile.
 */
import type { TensorType } from '@meanflow/core';
import type { OpAttributes, OpName } from '@meanflow/core/backend';
import type { ValueName } from '../onnx/model.js';
import type { ModelBuilder } from '../onnx/model-builder.js';

/** A value in the model, with the type that the graph gives it. */
export interface Operand extends TensorType {
  readonly name: ValueName;
  /** The value of a scalar constant, where it is known. */
  readonly scalar?: number;
}

export interface LoweringContext<K extends OpName> {
  readonly builder: ModelBuilder;
  readonly inputs: readonly Operand[];
  readonly attributes: OpAttributes[K];
  /** The result's type. */
  readonly output: TensorType;
}

export type Lowering<K extends OpName> = (context: LoweringContext<K>) => ValueName;

/** One lowering per op. Composites come apart in `lowerGraph`: they may have several results. */
export type Lowerings = { readonly [K in Exclude<OpName, 'composite'>]: Lowering<K> };
