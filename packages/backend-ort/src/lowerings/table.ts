/**
 * The lowering tables: how every primitive becomes ONNX nodes. The CPU's is the general one, of the fastest operators
 * that its provider has; GPUs replace some rows of it.
 */
import { convolution } from './conv.js';
import { cuda } from './cuda.js';
import { contraction } from './dot.js';
import { cast, elementwise } from './elementwise.js';
import { gather, scatterAdd } from './indexing.js';
import type { Lowerings } from './lowering.js';
import { portable } from './portable.js';
import { argMax, reduceMax, reduceSum } from './reductions.js';
import { broadcastTo, concat, pad, reshape, reverse, slice, transpose } from './shaping.js';
import { constant, iota, optimizationBarrier, stopGradient } from './structure.js';

export const generalLowerings: Lowerings = {
  constant,
  iota,
  ...elementwise,
  cast,
  reduceSum,
  reduceMax: reduceMax((builder, x) => builder.node('IsNaN', [x])),
  argMax,
  reshape,
  transpose,
  broadcastTo,
  slice,
  pad,
  concat,
  reverse,
  dotGeneral: contraction('fused'),
  conv: convolution({ maxTransposed: 3, maxGrouped: 3, prefersProducts: true }),
  gather: gather(elementwise.select),
  scatterAdd,
  stopGradient,
  optimizationBarrier,
};

export const portableLowerings: Lowerings = { ...generalLowerings, ...portable };

export const cudaLowerings: Lowerings = { ...portableLowerings, ...cuda };
