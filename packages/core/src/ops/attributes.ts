/**
 * The primitives, by name, with the static attributes that each carries. This interface is the list that every
 * exhaustive map (derivatives, reference evaluation, a backend's lowerings) is checked against: adding a line here
 * turns each missing entry into a compile error.
 */
import type { HostArray } from '../host-array.js';
import type { DType, Shape } from '../types.js';
import type { CompositeCall } from './composite.js';

/** No attributes. */
export type None = Readonly<Record<never, never>>;

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

export interface OpAttributes {
  // Sources.
  constant: { readonly dtype: DType; readonly value: HostArray };
  iota: { readonly dtype: 'float32' | 'int32'; readonly shape: Shape; readonly axis: number };

  // Elementwise, one operand.
  neg: None;
  abs: None;
  sign: None;
  floor: None;
  exp: None;
  log: None;
  log1p: None;
  sqrt: None;
  rsqrt: None;
  sin: None;
  cos: None;
  tanh: None;
  sigmoid: None;
  erf: None;
  erfc: None;
  isFinite: None;
  not: None;
  cast: { readonly dtype: DType };

  // Elementwise, several operands, with NumPy broadcasting.
  add: None;
  sub: None;
  mul: None;
  div: None;
  pow: None;
  maximum: None;
  minimum: None;
  equal: None;
  less: None;
  lessEqual: None;
  and: None;
  or: None;
  select: None;

  // Reductions; the reduced axes disappear.
  reduceSum: { readonly axes: readonly number[] };
  reduceMax: { readonly axes: readonly number[] };
  argMax: { readonly axis: number };

  // Shape.
  reshape: { readonly shape: Shape };
  transpose: { readonly permutation: readonly number[] };
  broadcastTo: { readonly shape: Shape };
  slice: {
    readonly starts: readonly number[];
    readonly limits: readonly number[];
    readonly strides: readonly number[];
  };
  pad: {
    readonly low: readonly number[];
    readonly high: readonly number[];
    readonly interior: readonly number[];
  };
  concat: { readonly axis: number };
  reverse: { readonly axes: readonly number[] };

  // Contractions.
  dotGeneral: DotDimensions;
  conv: ConvWindow;

  // Indexing along the first axis: rows of a table by int32 indices, and its transpose.
  /** `fill` stands in the rows whose index is negative, or not below the number of rows. */
  gather: { readonly fill: number };
  scatterAdd: { readonly rows: number };

  // Structure.
  stopGradient: None;
  optimizationBarrier: None;
  composite: CompositeCall;
}

/** Every instruction a graph can hold; what a backend lowers. */
export type OpName = keyof OpAttributes;

/** The ops that are not made of others; what core's op table defines. */
export type PrimitiveName = Exclude<OpName, 'composite'>;
