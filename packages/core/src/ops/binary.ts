/** Elementwise ops of several operands, with NumPy broadcasting: arithmetic, comparison, logic and selection. */
import { DTypeError } from '../errors.js';
import { power } from '../special-values.js';
import { sizeOf, type DType, type TensorType } from '../types.js';
import type { NoAttributes } from './attributes.js';
import { broadcastIndices, broadcastShapes } from './broadcasting.js';
import { allocate, type Meaning, type OpMeaning, type RefValue } from './definition.js';

interface Binary {
  readonly dtypes: readonly DType[];
  readonly result?: DType;
  readonly value: (a: number, b: number) => number;
  /** On int32, where it differs from the float function. */
  readonly intValue?: (a: number, b: number) => number;
}

function binary({ dtypes, result, value, intValue }: Binary): OpMeaning<2, NoAttributes> {
  return {
    infer: ([a, b]) => {
      if (a.dtype !== b.dtype || !dtypes.includes(a.dtype)) {
        throw new DTypeError(
          `takes two operands of one dtype (${dtypes.join(' or ')}), got ${a.dtype} and ${b.dtype}.`,
        );
      }
      return { dtype: result ?? a.dtype, shape: broadcastShapes([a.shape, b.shape]) };
    },
    evaluate: ([a, b], _, type) => zipInto(a, b, type, a.dtype === 'int32' && intValue ? intValue : value),
    flops: (_, output) => sizeOf(output.shape),
  };
}

function zipInto(a: RefValue, b: RefValue, type: TensorType, f: (a: number, b: number) => number) {
  const out = allocate(type.dtype, sizeOf(type.shape));
  const [ia, ib] = [broadcastIndices(a.shape, type.shape), broadcastIndices(b.shape, type.shape)];
  for (let i = 0; i < out.length; i++) out[i] = f(a.data[ia[i]!]!, b.data[ib[i]!]!);
  return out;
}

const ARITHMETIC: readonly DType[] = ['float32', 'float16', 'int32'];

export const binaryOps = {
  add: binary({ dtypes: ARITHMETIC, value: (a, b) => a + b, intValue: (a, b) => (a + b) | 0 }),
  sub: binary({ dtypes: ARITHMETIC, value: (a, b) => a - b, intValue: (a, b) => (a - b) | 0 }),
  mul: binary({ dtypes: ARITHMETIC, value: (a, b) => a * b, intValue: Math.imul }),
  // Of int32 the quotient is cut toward zero; x / 0 is 0, and the least int32 by −1 is itself, as its negation is.
  div: binary({ dtypes: ARITHMETIC, value: (a, b) => a / b, intValue: (a, b) => Math.trunc(a / b) }),
  pow: binary({ dtypes: ['float32', 'float16'], value: power }),
  // A NaN is the greatest and the least of all; 0 is greater than −0.
  maximum: binary({ dtypes: ARITHMETIC, value: Math.max }),
  minimum: binary({ dtypes: ARITHMETIC, value: Math.min }),
  equal: binary({
    dtypes: [...ARITHMETIC, 'bool'],
    result: 'bool',
    value: (a, b) => Number(a === b),
  }),
  less: binary({ dtypes: ARITHMETIC, result: 'bool', value: (a, b) => Number(a < b) }),
  lessEqual: binary({ dtypes: ARITHMETIC, result: 'bool', value: (a, b) => Number(a <= b) }),
  and: binary({ dtypes: ['bool'], value: (a, b) => a & b }),
  or: binary({ dtypes: ['bool'], value: (a, b) => a | b }),
};

/** `condition ? a : b`, elementwise. */
export const select: Meaning<'select'> = {
  infer: ([condition, a, b]) => {
    if (condition.dtype !== 'bool') throw new DTypeError(`takes a bool condition, got ${condition.dtype}.`);
    if (a.dtype !== b.dtype)
      throw new DTypeError(`takes two branches of one dtype, got ${a.dtype} and ${b.dtype}.`);
    return { dtype: a.dtype, shape: broadcastShapes([condition.shape, a.shape, b.shape]) };
  },
  evaluate: ([condition, a, b], _, type) => {
    const out = allocate(type.dtype, sizeOf(type.shape));
    const indices = (operand: RefValue) => broadcastIndices(operand.shape, type.shape);
    const [ic, ia, ib] = [indices(condition), indices(a), indices(b)];
    for (let i = 0; i < out.length; i++)
      out[i] = condition.data[ic[i]!] !== 0 ? a.data[ia[i]!]! : b.data[ib[i]!]!;
    return out;
  },
  flops: (_, output) => sizeOf(output.shape),
};
