/**
 * Tensor: a symbolic value, that is a type and its place in the program being traced. Applying an op to tensors
 * computes nothing; it adds a node to a graph that grows by reference, from each node to its operands. `trace`
 * closes such a graph over its inputs, and the transforms walk it.
 *
 * The types of closed programs stand here too, for the two are made of each other: a node may be a composite, which
 * holds a closed program and rules over tensors. Tensor's methods are put onto it by `methods.ts`, since the functions
 * that they are make tensors.
 */
import type { ArityOf, Operands, PrimitiveAttributes, PrimitiveName } from './ops/attributes.js';
import { formatType, type DType, type Shape, type TensorType } from './types.js';

/** Static parameters of a composite: plain data, part of its identity. */
export type CompositeParameters = Readonly<Record<string, unknown>>;

/** A derivative's input or result: a tensor, or `undefined` for a tangent that is zero. */
export type Tangent = Tensor | undefined;

/** A tangent for each operand, of which one is present: where there is one operand, it is its. */
export type TangentsOf<Inputs extends readonly unknown[]> = Inputs extends readonly [unknown]
  ? readonly [Tensor]
  : { readonly [K in keyof Inputs]: Tangent };

/** What a composite means: a function of `Inputs` in primitives, and its derivative where that is shorter than the function's own. */
export interface CompositeDefinition<
  P extends CompositeParameters = CompositeParameters,
  Inputs extends readonly Tensor[] = readonly Tensor[],
  Outputs extends readonly Tensor[] = readonly Tensor[],
> {
  /** For reading and for printing. It may be another's too: a definition is known by its identity. */
  readonly name: string;
  /** The meaning, in primitives and other composites. */
  decompose(inputs: Inputs, parameters: P): Outputs;
  /** Tangents of the outputs; by default, those of the decomposition. */
  jvp?(context: {
    readonly inputs: Inputs;
    readonly outputs: Outputs;
    readonly tangents: TangentsOf<Inputs>;
    readonly parameters: P;
  }): { readonly [K in keyof Outputs]: Tangent };
  /** Cotangents of the linear operands; by default, those of the decomposition. */
  transpose?(context: {
    readonly cotangents: { readonly [K in keyof Outputs]: Tangent };
    readonly inputs: Inputs;
    readonly linear: { readonly [K in keyof Inputs]: boolean };
    readonly parameters: P;
  }): { readonly [K in keyof Inputs]: Tangent };
}

/** The attributes of a composite instruction. */
export interface CompositeCall {
  readonly definition: CompositeDefinition;
  readonly parameters: CompositeParameters;
  /** The decomposition, from the call's operands to its results. */
  readonly body: Program;
}

/** The static attributes of every instruction that a program can hold. */
export interface OpAttributes extends PrimitiveAttributes {
  readonly composite: CompositeCall;
}

/** Every instruction a program can hold; what a backend lowers. */
export type OpName = keyof OpAttributes;

/** The number of a value within its program; indexes `types`. */
export type ValueId = number;

/** An input or output: the value, under the name by which callers pass or receive it. */
export interface NamedValue {
  readonly name: string;
  readonly value: ValueId;
}

export interface InstructionOf<K extends OpName, Inputs, Outputs> {
  readonly op: K;
  readonly attributes: OpAttributes[K];
  readonly inputs: Inputs;
  readonly outputs: Outputs;
}

/** One step of a program; discriminated by `op`. A primitive has one result, a composite as many as its body. */
export type Instruction =
  | {
      [K in PrimitiveName]: InstructionOf<K, Operands<ArityOf<K>, ValueId>, readonly [ValueId]>;
    }[PrimitiveName]
  | InstructionOf<'composite', readonly ValueId[], readonly ValueId[]>;

/** A closed program: what a `Graph` holds. Instructions stand in an order in which they can run. */
export interface Program {
  readonly name: string;
  /** Type of each value, by number. */
  readonly types: readonly TensorType[];
  readonly inputs: readonly NamedValue[];
  readonly instructions: readonly Instruction[];
  readonly outputs: readonly NamedValue[];
}

/** What nodes carry: the attributes of ops, and those of nodes that no program holds. */
export interface NodeAttributes extends OpAttributes {
  readonly input: { readonly name: string };
  /** Another name for a value: marks what is differentiated. */
  readonly alias: Readonly<Record<never, never>>;
}

export interface NodeOf<K extends keyof NodeAttributes, Inputs, Outputs = readonly [Tensor]> {
  /** Grows with every node, so operands always have smaller ids: id order is a topological order. */
  readonly id: number;
  readonly op: K;
  readonly inputs: Inputs;
  readonly attributes: NodeAttributes[K];
  readonly outputs: Outputs;
}

/** What can produce a tensor while tracing. */
export type TraceNode =
  | { [K in PrimitiveName]: NodeOf<K, Operands<ArityOf<K>, Tensor>> }[PrimitiveName]
  | NodeOf<'composite', readonly Tensor[], readonly Tensor[]>
  | NodeOf<'input', readonly []>
  | NodeOf<'alias', readonly [Tensor]>;

let nextNodeId = 0;

/** @internal The id that the next node will have: larger than any that exists. */
export function nextId(): number {
  return nextNodeId;
}

/**
 * A symbolic value of known dtype and shape. Made by `trace` and by ops, never by hand. Each function whose first argument is one
 * tensor and whose result is one is a method too.
 */
export class Tensor implements TensorType {
  private constructor(
    readonly dtype: DType,
    readonly shape: Shape,
    /** @internal */
    readonly node: TraceNode,
    /** @internal */
    readonly index: number,
  ) {}

  /** @internal Adds a node of one result. */
  static emit<K extends PrimitiveName>(
    op: K,
    inputs: readonly Tensor[],
    attributes: PrimitiveAttributes[K],
    type: TensorType,
  ): Tensor;
  static emit<K extends 'input' | 'alias'>(
    op: K,
    inputs: readonly Tensor[],
    attributes: NodeAttributes[K],
    type: TensorType,
  ): Tensor;
  static emit(op: TraceNode['op'], inputs: readonly Tensor[], attributes: object, type: TensorType): Tensor {
    const [output] = Tensor.addNode(op, inputs, attributes, [type]);
    return output!;
  }

  /** @internal Adds a node, and returns its results. */
  static emitAll<K extends OpName>(
    op: K,
    inputs: readonly Tensor[],
    attributes: OpAttributes[K],
    types: readonly TensorType[],
  ): readonly Tensor[] {
    return Tensor.addNode(op, inputs, attributes, types);
  }

  private static addNode(
    op: TraceNode['op'],
    inputs: readonly Tensor[],
    attributes: object,
    types: readonly TensorType[],
  ): readonly Tensor[] {
    const outputs: Tensor[] = [];
    // That these go together is said by the signatures above; of the union of all nodes it cannot be.
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
}
