/** The op table: every primitive's meaning in one place. */
import { roundToHalf } from '../half.js';
import type { TensorType } from '../types.js';
import { binaryOps, select } from './binary.js';
import { convOp } from './conv.js';
import type { PrimitiveName } from './attributes.js';
import type { OpMeaning, OpTable, RefData, RefValue } from './definition.js';
import { dotGeneralOp } from './dot.js';
import { cast, unaryOps } from './elementwise.js';
import { gatherOp, scatterAddOp } from './indexing.js';
import { argMax, reduceMax, reduceSum } from './reductions.js';
import { shapeOps } from './shaping.js';
import { constantOp, iotaOp, optimizationBarrierOp, stopGradientOp } from './structure.js';

export const opTable: OpTable = {
  constant: constantOp,
  iota: iotaOp,
  ...unaryOps,
  cast,
  ...binaryOps,
  select,
  reduceSum,
  reduceMax,
  argMax,
  ...shapeOps,
  dotGeneral: dotGeneralOp,
  conv: convOp,
  gather: gatherOp,
  scatterAdd: scatterAddOp,
  stopGradient: stopGradientOp,
  optimizationBarrier: optimizationBarrierOp,
};

/** What an op means of which it is not known which it is: the caller says that operands and attributes are its own. */
export const meaningOf = (op: PrimitiveName) => opTable[op] as OpMeaning<'any', unknown>;

/** An op's value by plain loops in float64; float16 is rounded, whatever came before. */
export function evaluate(
  op: PrimitiveName,
  inputs: readonly RefValue[],
  attributes: unknown,
  type: TensorType,
): RefData {
  const data = meaningOf(op).evaluate(inputs, attributes, type);
  return type.dtype === 'float16' ? data.map(roundToHalf) : data;
}

/** Every primitive's name. */
export const primitiveNames = Object.keys(opTable) as PrimitiveName[];
