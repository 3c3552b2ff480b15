/** The lowering table: how every primitive becomes ONNX nodes. */
import { conv } from './conv.js';
import { dotGeneral } from './dot.js';
import { cast, elementwise } from './elementwise.js';
import { gather, scatterAdd } from './indexing.js';
import type { Lowerings } from './lowering.js';
import { argMax, reduceMax, reduceSum } from './reductions.js';
import { broadcastTo, concat, pad, reshape, reverse, slice, transpose } from './shaping.js';
import { constant, iota, optimizationBarrier, stopGradient } from './structure.js';

export const lowerings: Lowerings = {
  constant,
  iota,
  ...elementwise,
  cast,
  reduceSum,
  reduceMax,
  argMax,
  reshape,
  transpose,
  broadcastTo,
  slice,
  pad,
  concat,
  reverse,
  dotGeneral,
  conv,
  gather,
  scatterAdd,
  stopGradient,
  optimizationBarrier,
};
