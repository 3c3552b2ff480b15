/**
 * The primitives, by name: how many operands each takes, and the static attributes that it carries. `Primitives` is the
 * list that every exhaustive map (meanings, derivatives, a backend's lowerings) is checked against: adding a line here
 * turns each missing entry into a compile error.
 */
import type { HostArray } from '../host-array.js';
import type { DType, Shape } from '../types.js';

/** No attributes. */
export type NoAttributes = Readonly<Record<never, never>>;

/** Which axes of two operands a `dotGeneral` pairs up; the named axes have equal sizes pairwise. */
export interface DotDimensions {
  readonly lhsContracting: readonly number[];
  readonly rhsContracting: readonly number[];
  readonly lhsBatch: readonly number[];
  readonly rhsBatch: readonly number[];
}

/**
 * A convolution's window: cross-correlation of `[batch, channels, ...space]` with
 * `[features, channels / groups, ...window]`, as in ONNX and PyTorch.
 */
export interface ConvWindow {
  /** Step of the window, per spatial axis. */
  readonly strides: readonly number[];
  /** Zeros added before and after each spatial axis; may be negative (cropping). */
  readonly padding: readonly (readonly [low: number, high: number])[];
  /** Input dilation: `d − 1` zeros between neighbouring input elements (a transposed convolution's stride). */
  readonly lhsDilation: readonly number[];
  /** Kernel dilation. */
  readonly rhsDilation: readonly number[];
  /** Channel groups that do not mix. */
  readonly groups: number;
}

/** Numbers of operands that ops take. */
export type Arity = 0 | 1 | 2 | 3 | 'any';

/** As many values as an op takes operands. */
export type Operands<N extends Arity, T> = {
  0: readonly [];
  1: readonly [T];
  2: readonly [T, T];
  3: readonly [T, T, T];
  any: readonly T[];
}[N];

/** An op of `N` operands. */
export interface Op<N extends Arity, Attributes = NoAttributes> {
  readonly arity: N;
  readonly attributes: Attributes;
}

export interface Primitives {
  // Sources.
  constant: Op<0, { readonly dtype: DType; readonly value: HostArray }>;
  iota: Op<0, { readonly dtype: 'float32' | 'int32'; readonly shape: Shape; readonly axis: number }>;

  // Elementwise, one operand.
  neg: Op<1>;
  abs: Op<1>;
  sign: Op<1>;
  floor: Op<1>;
  exp: Op<1>;
  log: Op<1>;
  log1p: Op<1>;
  sqrt: Op<1>;
  rsqrt: Op<1>;
  sin: Op<1>;
  cos: Op<1>;
  tanh: Op<1>;
  sigmoid: Op<1>;
  erf: Op<1>;
  erfc: Op<1>;
  isFinite: Op<1>;
  not: Op<1>;
  cast: Op<1, { readonly dtype: DType }>;

  // Elementwise, several operands, with NumPy broadcasting.
  add: Op<2>;
  sub: Op<2>;
  mul: Op<2>;
  div: Op<2>;
  pow: Op<2>;
  maximum: Op<2>;
  minimum: Op<2>;
  equal: Op<2>;
  less: Op<2>;
  lessEqual: Op<2>;
  and: Op<2>;
  or: Op<2>;
  select: Op<3>;

  // Reductions; the reduced axes disappear.
  reduceSum: Op<1, { readonly axes: readonly number[] }>;
  reduceMax: Op<1, { readonly axes: readonly number[] }>;
  argMax: Op<1, { readonly axis: number }>;

  // Shape.
  reshape: Op<1, { readonly shape: Shape }>;
  transpose: Op<1, { readonly permutation: readonly number[] }>;
  broadcastTo: Op<1, { readonly shape: Shape }>;
  slice: Op<
    1,
    {
      readonly starts: readonly number[];
      readonly limits: readonly number[];
      readonly strides: readonly number[];
    }
  >;
  pad: Op<
    1,
    {
      readonly low: readonly number[];
      readonly high: readonly number[];
      readonly interior: readonly number[];
    }
  >;
  concat: Op<'any', { readonly axis: number }>;
  reverse: Op<1, { readonly axes: readonly number[] }>;

  // Contractions.
  dotGeneral: Op<2, DotDimensions>;
  conv: Op<2, ConvWindow>;

  // Indexing along the first axis: rows of a table by int32 indices, and its transpose.
  /** `fill` stands in the rows whose index is negative, or not below the number of rows. */
  gather: Op<2, { readonly fill: number }>;
  scatterAdd: Op<2, { readonly rows: number }>;

  // Structure.
  stopGradient: Op<1>;
  optimizationBarrier: Op<2>;
}

/** The ops that are not made of others; what core's op table defines. */
export type PrimitiveName = keyof Primitives;

/** How many operands a primitive takes. */
export type ArityOf<K extends PrimitiveName> = Primitives[K]['arity'];

/** The static attributes of each primitive. */
export type PrimitiveAttributes = { readonly [K in PrimitiveName]: Primitives[K]['attributes'] };
