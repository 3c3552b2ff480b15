/**
 * Tensor's methods: the functions that programs use most, in the order in which formulas are read. They are put onto the
 * class here, for its module comes before the functions, which make tensors.
 */
import { add, cast, div, exp, log, mul, neg, pow, sqrt, square, sub } from './functions/elementwise.js';
import { matmul } from './functions/contractions.js';
import { max, mean, sum, type ReduceOptions } from './functions/reductions.js';
import { broadcastTo, reshape, transpose } from './functions/shaping.js';
import type { TensorLike } from './functions/sources.js';
import { Tensor } from './tensor.js';
import type { DType, Shape } from './types.js';

interface Methods {
  add(other: TensorLike): Tensor;
  sub(other: TensorLike): Tensor;
  mul(other: TensorLike): Tensor;
  div(other: TensorLike): Tensor;
  pow(exponent: TensorLike): Tensor;
  neg(): Tensor;
  square(): Tensor;
  sqrt(): Tensor;
  exp(): Tensor;
  log(): Tensor;
  /** Sum over `axes` (all by default); see {@link sum}. */
  sum(axes?: number | readonly number[], options?: ReduceOptions): Tensor;
  /** Mean over `axes` (all by default); see {@link mean}. */
  mean(axes?: number | readonly number[], options?: ReduceOptions): Tensor;
  /** Maximum over `axes` (all by default); see {@link max}. */
  max(axes?: number | readonly number[], options?: ReduceOptions): Tensor;
  /** The same elements in row-major order under another shape; one dimension may be −1. */
  reshape(shape: Shape): Tensor;
  /** Axes reordered; reversed by default. */
  transpose(permutation?: readonly number[]): Tensor;
  /** Matrix product over the last axis of this and the second-to-last of `other`; see {@link matmul}. */
  matmul(other: Tensor): Tensor;
  broadcastTo(shape: Shape): Tensor;
  cast(dtype: DType): Tensor;
}

declare module './tensor.js' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- an interface is what a class can be merged with
  interface Tensor extends Methods {}
}

const functions: { readonly [K in keyof Methods]: (x: Tensor, ...rest: Parameters<Methods[K]>) => Tensor } = {
  ...{ add, sub, mul, div, pow, neg, square, sqrt, exp, log },
  ...{ sum, mean, max, reshape, transpose, matmul, broadcastTo, cast },
};

for (const [name, f] of Object.entries<(x: Tensor, ...rest: never) => Tensor>(functions)) {
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: never) {
      return f(this, ...rest);
    },
    writable: true,
    configurable: true,
  });
}
