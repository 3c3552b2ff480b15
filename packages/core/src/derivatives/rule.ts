/**
 * What core knows of a primitive's derivative: a rule per op, which writes the tangent of its result, and (for ops that
 * are linear in some operands) the transpose of that linear map. Reverse mode needs no rules of its own: it transposes
 * what `jvp` wrote (Radul et al., "You Only Linearize Once", POPL 2023).
 */
import type { Arity, ArityOf, Operands, PrimitiveAttributes, PrimitiveName } from '../ops/attributes.js';
import type { Tangent, TangentsOf, Tensor } from '../tensor.js';

export interface JvpContext<N extends Arity, A> {
  readonly inputs: Operands<N, Tensor>;
  /** Of the operands; at least one is present. */
  readonly tangents: TangentsOf<Operands<N, Tensor>>;
  readonly output: Tensor;
  readonly attributes: A;
  /** The op itself, with the same attributes, of other operands. */
  readonly apply: (inputs: Operands<N, Tensor>) => Tensor;
}

export interface TransposeContext<N extends Arity, A> {
  readonly cotangent: Tensor;
  /** Operands; where `linear` is true only the type may be used, the value is what is being transposed away. */
  readonly inputs: Operands<N, Tensor>;
  readonly linear: Operands<N, boolean>;
  readonly attributes: A;
}

/** The derivative of an op of `N` operands and attributes `A`. */
export interface OpRule<N extends Arity, A> {
  /** The output's tangent. */
  jvp(context: JvpContext<N, A>): Tangent;
  /** Cotangents of the linear operands (others are ignored); absent for ops that are never linear. */
  transpose?(context: TransposeContext<N, A>): Operands<N, Tangent>;
}

/** The derivative of one primitive. */
export type Rule<K extends PrimitiveName> = OpRule<ArityOf<K>, PrimitiveAttributes[K]>;

/** A rule for every primitive. */
export type RuleTable = { readonly [K in PrimitiveName]: Rule<K> };
