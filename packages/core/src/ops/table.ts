/** The op table: every primitive's meaning in one place. */
import { binaryOps, select } from './binary.js';
import { convOp } from './conv.js';
import type { PrimitiveName } from './attributes.js';
import type { OpMeaning, OpTable } from './definition.js';
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

/** Every primitive's name. */
export const primitiveNames = Object.keys(opTable) as PrimitiveName[];
