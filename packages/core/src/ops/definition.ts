/**
 * What core knows of a primitive's meaning: one `OpMeaning` per op, holding its type rule, its reference evaluation and its
 * cost. Its derivative is a row of another table (`derivatives/table.ts`), since it is written in functions, and these
 * need the type rules.
 */
import { isFloat, type DType, type HostDType, type Shape, type TensorType } from '../types.js';
import type { Arity, ArityOf, Operands, PrimitiveAttributes, PrimitiveName } from './attributes.js';

/** A value of the reference interpreter: floats are float64. */
export interface RefValue {
  readonly dtype: HostDType | DType;
  readonly shape: Shape;
  readonly data: RefData;
}
export type RefData = Float64Array | Int32Array | Uint8Array;

/** What an op of `N` operands and attributes `A` means. */
export interface OpMeaning<N extends Arity, A> {
  /** The result's type. @throws {ShapeError | DTypeError | ArgumentError} when the operands do not fit. */
  infer(inputs: Operands<N, TensorType>, attributes: A): TensorType;
  /** Plain loops in float64; whoever calls it rounds float16 (`evaluate`). */
  evaluate(inputs: Operands<N, RefValue>, attributes: A, type: TensorType): RefData;
  /** Floating-point operations; multiply-adds count as two, transcendental functions as one. */
  flops(inputs: Operands<N, TensorType>, output: TensorType, attributes: A): number;
}

/** What one primitive means. */
export type Meaning<K extends PrimitiveName> = OpMeaning<ArityOf<K>, PrimitiveAttributes[K]>;

export type OpTable = { readonly [K in PrimitiveName]: Meaning<K> };

/** The typed array in which the reference interpreter holds values of a dtype. */
export function allocate(dtype: DType, size: number): RefData {
  return isFloat(dtype)
    ? new Float64Array(size)
    : dtype === 'int32'
      ? new Int32Array(size)
      : new Uint8Array(size);
}

/** No arithmetic: the op only moves data. */
export const free = (): number => 0;
