/**
 * What core knows of a primitive: one `OpDefinition` per op, holding its type rule, its derivative (`jvp`), the
 * transpose of its linear part, its reference evaluation and its cost. The forms that most derivatives take stand with
 * the ops that share them. Reverse mode needs no rules of its own: it transposes what `jvp` wrote (Radul et al., "You
 * Only Linearize Once", POPL 2023).
 */
import type { Tensor } from '../tensor.js';
import type { DType, HostDType, Shape, TensorType } from '../types.js';
import type { OpAttributes, PrimitiveName } from './attributes.js';

/** A value of the reference interpreter: floats are float64. */
export interface RefValue {
  readonly dtype: HostDType;
  readonly shape: Shape;
  readonly data: RefData;
}
export type RefData = Float64Array | Int32Array | Uint8Array;

/** A derivative's input: a tensor, or `undefined` for a tangent that is zero. */
export type Tangent = Tensor | undefined;

export interface JvpContext<A> {
  readonly inputs: readonly Tensor[];
  readonly tangents: readonly Tangent[];
  readonly output: Tensor;
  readonly attributes: A;
}

export interface TransposeContext<A> {
  readonly cotangent: Tensor;
  /** Operands; where `linear` is true only the type may be used, the value is what is being transposed away. */
  readonly inputs: readonly Tensor[];
  readonly linear: readonly boolean[];
  readonly attributes: A;
}

export interface OpDefinition<A> {
  /** The result's type. @throws {ShapeError | DTypeError | ArgumentError} when the operands do not fit. */
  infer(inputs: readonly TensorType[], attributes: A): TensorType;
  /** The output's tangent; at least one input's tangent is present. */
  jvp(context: JvpContext<A>): Tangent;
  /** Cotangents of the linear operands (others are ignored); absent for ops that are never linear. */
  transpose?(context: TransposeContext<A>): readonly Tangent[];
  /** Plain loops in float64. */
  evaluate(inputs: readonly RefValue[], attributes: A, type: TensorType): RefData;
  /** Floating-point operations; multiply-adds count as two, transcendental functions as one. */
  flops(inputs: readonly TensorType[], output: TensorType, attributes: A): number;
}

export type OpTable = { readonly [K in PrimitiveName]: OpDefinition<OpAttributes[K]> };

/** The typed array in which the reference interpreter holds values of a dtype. */
export function allocate(dtype: DType, size: number): RefData {
  return dtype === 'float32'
    ? new Float64Array(size)
    : dtype === 'int32'
      ? new Int32Array(size)
      : new Uint8Array(size);
}

/** The derivative of an op whose output does not move with its inputs (comparisons, rounding, integers). */
export const noTangent = (): undefined => undefined;

/** No arithmetic: the op only moves data. */
export const free = (): number => 0;
