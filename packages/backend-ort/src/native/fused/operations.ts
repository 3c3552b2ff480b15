/**
 * The operations of the library of fused kernels, by number, and which of them computes an instruction of a body. In
 * registers a bool is an int32 of 0 or 1, so that operations on ints serve both.
 */
import type { DType } from '@meanflow/core';
import type { Instruction } from '@meanflow/core/backend';

/** In the order of `native/operations.h`; only added to. */
const operations = [
  'copy', 'expand', 'rowSum', 'rowMax', 'rowSumInt', 'rowMaxInt',
  'neg', 'abs', 'sign', 'floor', 'exp', 'log', 'log1p', 'sqrt', 'rsqrt', 'sin', 'cos',
  'tanh', 'sigmoid', 'erf', 'erfc', 'isFinite', 'not',
  'negInt', 'absInt', 'signInt',
  'floatToInt', 'floatToBool', 'intToFloat', 'intToBool',
  'add', 'sub', 'mul', 'div', 'pow', 'maximum', 'minimum', 'equal', 'less', 'lessEqual',
  'addInt', 'subInt', 'mulInt', 'divInt', 'maximumInt', 'minimumInt', 'equalInt', 'lessInt', 'lessEqualInt',
  'and', 'or',
  'select', 'mulAdd', 'mulSub', 'negMulAdd',
] as const; // prettier-ignore

export type Operation = (typeof operations)[number];

const numbers = new Map<string, number>(operations.map((name, i) => [name, i]));

export const numberOf = (operation: Operation): number => numbers.get(operation)!;

const isOperation = (name: string): name is Operation => numbers.has(name);

const casts: Readonly<Record<DType, Partial<Record<DType, Operation>>>> = {
  float16: {},
  float32: { int32: 'floatToInt', bool: 'floatToBool' },
  int32: { float32: 'intToFloat', bool: 'intToBool' },
  bool: { float32: 'intToFloat' },
};

/**
 * The operation that computes an elementwise instruction or a reduction; `copy` where the operand is the result already.
 *
 * @param dtype of the first operand
 * @returns undefined for an instruction of another kind
 */
export function operationOf({ op, attributes }: Instruction, dtype: DType): Operation | undefined {
  const suffix = dtype === 'float32' ? '' : 'Int';
  if (op === 'reduceSum') return `rowSum${suffix}`;
  if (op === 'reduceMax') return `rowMax${suffix}`;
  if (op === 'cast') return casts[dtype][attributes.dtype] ?? 'copy';
  if (op === 'not' || op === 'and' || op === 'or' || op === 'select') return op;
  const name = `${op}${suffix}`;
  return isOperation(name) ? name : undefined;
}
