/** The elementwise ops with one and two operands: their functions, dtypes and the intervals of ordinary operands. */
import {
  abs,
  add,
  cos,
  div,
  equal,
  erf,
  erfc,
  exp,
  floor,
  isFinite,
  less,
  lessEqual,
  log,
  log1p,
  logicalAnd,
  logicalNot,
  logicalOr,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  rsqrt,
  sigmoid,
  sign,
  sin,
  sqrt,
  sub,
  tanh,
  type DType,
  type HostArray,
  type Shape,
  type Tensor,
} from '@meanflow/core';
import type { Feature } from './case.js';
import { bools, floats, ints } from './inputs.js';

export type Unary = (x: Tensor) => Tensor;
export type Binary = (x: Tensor, y: Tensor) => Tensor;

export interface UnaryRow {
  readonly op: string;
  readonly f: Unary;
  /** The interval from which ordinary operands are drawn. */
  readonly from: readonly [low: number, high: number];
  readonly dtypes?: readonly DType[];
}

export const UNARY: readonly UnaryRow[] = [
  { op: 'neg', f: neg, from: [-3, 3], dtypes: ['float32', 'int32'] },
  { op: 'abs', f: abs, from: [-3, 3], dtypes: ['float32', 'int32'] },
  { op: 'sign', f: sign, from: [-3, 3], dtypes: ['float32', 'int32'] },
  { op: 'floor', f: floor, from: [-3, 3] },
  { op: 'exp', f: exp, from: [-10, 10] },
  { op: 'log', f: log, from: [0.01, 20] },
  { op: 'log1p', f: log1p, from: [-0.9, 5] },
  { op: 'sqrt', f: sqrt, from: [0, 20] },
  { op: 'rsqrt', f: rsqrt, from: [0.01, 20] },
  { op: 'sin', f: sin, from: [-7, 7] },
  { op: 'cos', f: cos, from: [-7, 7] },
  { op: 'tanh', f: tanh, from: [-5, 5] },
  { op: 'sigmoid', f: sigmoid, from: [-12, 12] },
  { op: 'erf', f: erf, from: [-4, 4] },
  { op: 'erfc', f: erfc, from: [-4, 6] },
  { op: 'isFinite', f: isFinite, from: [-3, 3] },
  { op: 'not', f: logicalNot, from: [0, 1], dtypes: ['bool'] },
];

export interface BinaryRow {
  readonly op: string;
  readonly f: Binary;
  readonly dtypes: readonly DType[];
  /** Interval of the first operand, and of the second where it differs. */
  readonly from?: readonly [low: number, high: number];
  readonly second?: readonly [low: number, high: number];
}

const NUMBERS = ['float32', 'int32'] as const;
export const BINARY: readonly BinaryRow[] = [
  { op: 'add', f: add, dtypes: NUMBERS },
  { op: 'sub', f: sub, dtypes: NUMBERS },
  { op: 'mul', f: mul, dtypes: NUMBERS },
  { op: 'div', f: div, dtypes: NUMBERS, second: [1, 5] },
  { op: 'pow', f: pow, dtypes: ['float32'], from: [0.1, 4], second: [-3, 3] },
  { op: 'maximum', f: maximum, dtypes: NUMBERS },
  { op: 'minimum', f: minimum, dtypes: NUMBERS },
  { op: 'equal', f: equal, dtypes: ['float32', 'int32', 'bool'] },
  { op: 'less', f: less, dtypes: NUMBERS },
  { op: 'lessEqual', f: lessEqual, dtypes: NUMBERS },
  { op: 'and', f: logicalAnd, dtypes: ['bool'] },
  { op: 'or', f: logicalOr, dtypes: ['bool'] },
];

/** Operands of a dtype: floats of the interval, integers as far as they reach, coins. */
export function draw(
  dtype: DType,
  shape: Shape,
  [low, high]: readonly [number, number],
  stream: string,
): HostArray {
  if (dtype === 'bool') return bools(shape, stream);
  if (dtype === 'int32') return ints(shape, low > 0 ? Math.ceil(low) : -9, 10, stream);
  return floats(shape, low, high, stream);
}

export const dtypeFeatures = (dtype: DType): Feature[] => (dtype === 'float32' ? [] : [dtype]);
export const shapeFeatures = (shape: Shape): Feature[] => [
  ...(shape.length === 5 ? (['rank-5'] as const) : []),
  ...(shape.includes(0) ? (['zero-size'] as const) : []),
];
