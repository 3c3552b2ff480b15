/**
 * Program: a prepared graph in the terms of tfjs kernels. Three things are settled that the graph leaves open: values
 * without elements are gone (their users are constants), a reshape is no operation but another view of the same
 * storage, and contractions are matrix products and 2-D convolutions in the layouts that tfjs takes. What remains is
 * short enough that both ways of running it, tfjs kernel by tfjs kernel and generated WebGPU kernels, cover it all.
 */
import {
  hostArray,
  HostArray,
  sameShape,
  sizeOf,
  hostDTypeOf,
  type DType,
  type HostDType,
  type Shape,
  type TensorType,
} from '@meanflow/core';
import { formatType } from '@meanflow/core/validation';
import {
  fromHalves,
  toHalves,
  type ArityOf,
  type OpAttributes,
  type Operands,
  type PrimitiveName,
} from '@meanflow/core/backend';

/** Where a value is stored; several views may share one. */
export type StorageId = number;

/** A value: a storage under a type. Values of one storage differ in shape only. */
export interface Value extends TensorType {
  /** `undefined` for a value without elements. */
  readonly storage: StorageId | undefined;
}

/** A value that has elements. */
export interface StoredValue extends Value {
  readonly storage: StorageId;
}

type Rewritten = 'reshape' | 'dotGeneral' | 'conv' | 'stopGradient' | 'composite' | 'constant';

/** The nodes of a program, by name, with their attributes. */
export interface NodeAttributes extends Omit<OpAttributes, Rewritten> {
  constant: { readonly value: HostArray };
  /** `[stack, m, k] × [stack, k, n] → [stack, m, n]`; a transposed operand has its last two axes exchanged. */
  matMul: { readonly transposeLhs: boolean; readonly transposeRhs: boolean };
  /** `[batch, height, width, channels]` with `[height, width, channels, features]`. */
  conv2d: Conv2dWindow;
  /** `[batch, height, width, channels]` with `[height, width, channels, multiplier]`. */
  depthwiseConv2d: Conv2dWindow;
}

export interface Conv2dWindow {
  readonly strides: readonly [number, number];
  /** Not negative. */
  readonly padding: readonly [readonly [number, number], readonly [number, number]];
  readonly dilations: readonly [number, number];
}

export type NodeName = keyof NodeAttributes;

/** As many operands as a node takes; products take two. */
export type NodeInputs<K extends NodeName> = Operands<K extends PrimitiveName ? ArityOf<K> : 2, StoredValue>;

export interface NodeOf<K extends NodeName> {
  readonly op: K;
  readonly inputs: NodeInputs<K>;
  readonly attributes: NodeAttributes[K];
  readonly output: StoredValue;
}

/** One step; discriminated by `op`. Every operand and result has elements. */
export type ProgramNode = { [K in NodeName]: NodeOf<K> }[NodeName];

export interface NamedProgramValue {
  readonly name: string;
  readonly value: Value;
}

export interface Program {
  readonly name: string;
  readonly inputs: readonly NamedProgramValue[];
  /** In an order in which they can run. */
  readonly nodes: readonly ProgramNode[];
  readonly outputs: readonly NamedProgramValue[];
  readonly storages: number;
}

export const isEmpty = ({ shape }: TensorType): boolean => sizeOf(shape) === 0;

/** Whether every operand has elements. */
export const areStored = (values: readonly Value[]): values is readonly StoredValue[] =>
  values.every(({ storage }) => storage !== undefined);

/** Writes a program. */
export class ProgramBuilder {
  private readonly nodes: ProgramNode[] = [];
  private storages = 0;

  /** A value that comes from outside. */
  input(type: TensorType): Value {
    return { ...type, storage: isEmpty(type) ? undefined : this.storages++ };
  }

  add<K extends NodeName>(
    op: K,
    inputs: readonly StoredValue[],
    attributes: NodeAttributes[K],
    type: TensorType,
  ): StoredValue {
    if (isEmpty(type)) throw new Error(`${op} has no elements to compute: ${formatType(type)}`);
    const output = { dtype: type.dtype, shape: type.shape, storage: this.storages++ };
    // That these go together is said by the signature; of the union of all nodes it cannot be.
    this.nodes.push({ op, inputs, attributes, output } as unknown as ProgramNode);
    return output;
  }

  /** @param dtype as it is stored: that of the values, or float16, to which these are then rounded */
  constant(value: HostArray, dtype = value.dtype as DType): StoredValue {
    const rounded =
      dtype === 'float16' ? new HostArray('float32', value.shape, fromHalves(toHalves(value.data))) : value;
    return this.add('constant', [], { value: rounded }, { dtype, shape: value.shape });
  }

  /** One value everywhere. */
  fill({ dtype, shape }: TensorType, value: number): StoredValue {
    const scalar = this.constant(hostArray<HostDType>(value, { dtype: hostDTypeOf(dtype) }), dtype);
    return shape.length === 0 ? scalar : this.add('broadcastTo', [scalar], { shape }, { dtype, shape });
  }

  /** The same elements under another shape. */
  reshape(value: StoredValue, shape: Shape): StoredValue {
    return sameShape(value.shape, shape) ? value : { ...value, shape };
  }

  transpose(value: StoredValue, permutation: readonly number[]): StoredValue {
    const shape = permutation.map((axis) => value.shape[axis]!);
    // Exchanging axes of size one moves nothing.
    const long = permutation.filter((axis) => value.shape[axis] !== 1);
    if (long.every((axis, i) => i === 0 || axis > long[i - 1]!)) return this.reshape(value, shape);
    return this.add('transpose', [value], { permutation }, { dtype: value.dtype, shape });
  }

  finish(name: string, inputs: readonly NamedProgramValue[], outputs: readonly NamedProgramValue[]): Program {
    return { name, inputs, nodes: this.nodes, outputs, storages: this.storages };
  }
}
