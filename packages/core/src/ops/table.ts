/** The op table: every primitive's definition in one place. */
import { binaryOps, select } from './binary.js';
import { convOp } from './conv.js';
import type { OpTable } from './definition.js';
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

/** Every primitive's name. */
export const primitiveNames = Object.keys(opTable) as (keyof OpTable)[];
