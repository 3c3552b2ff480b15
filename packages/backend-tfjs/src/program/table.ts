/** The lowering table: every primitive as nodes of a program. Most are a node of their own name. */
import { hostDTypeOf, type HostArray } from '@meanflow/core';
import type { PrimitiveName } from '@meanflow/core/backend';
import { conv } from './conv.js';
import { dotGeneral } from './dot.js';
import type { Lowering, Lowerings } from './lowering.js';
import type { NodeAttributes, NodeName } from './program.js';

/** The node of the same name and attributes. */
function same<K extends Extract<PrimitiveName, NodeName>>(op: K): Lowering<K> {
  return ({ builder, inputs, attributes, output }) =>
    // Nodes that are called as an op have its attributes: `NodeAttributes` takes them over.
    builder.add(op, inputs, attributes as unknown as NodeAttributes[K], output);
}

export const lowerings: Lowerings = {
  constant: ({ builder, attributes: { dtype, value } }) =>
    builder.constant((value as HostArray).to(hostDTypeOf(dtype)), dtype),
  iota: same('iota'),

  neg: same('neg'),
  abs: same('abs'),
  sign: same('sign'),
  floor: same('floor'),
  exp: same('exp'),
  log: same('log'),
  log1p: same('log1p'),
  sqrt: same('sqrt'),
  rsqrt: same('rsqrt'),
  sin: same('sin'),
  cos: same('cos'),
  tanh: same('tanh'),
  sigmoid: same('sigmoid'),
  erf: same('erf'),
  erfc: same('erfc'),
  isFinite: same('isFinite'),
  not: same('not'),
  cast: (context) =>
    context.inputs[0].dtype === context.output.dtype ? context.inputs[0] : same('cast')(context),

  add: same('add'),
  sub: same('sub'),
  mul: same('mul'),
  div: same('div'),
  pow: same('pow'),
  maximum: same('maximum'),
  minimum: same('minimum'),
  equal: same('equal'),
  less: same('less'),
  lessEqual: same('lessEqual'),
  and: same('and'),
  or: same('or'),
  select: same('select'),

  reduceSum: reduction('reduceSum'),
  reduceMax: reduction('reduceMax'),
  argMax: same('argMax'),

  reshape: ({ builder, inputs: [x], attributes: { shape } }) => builder.reshape(x, shape),
  transpose: ({ builder, inputs: [x], attributes: { permutation } }) => builder.transpose(x, permutation),
  broadcastTo: (context) => {
    const { builder, inputs, output } = context;
    const [x] = inputs;
    const isView = x.shape.reduce((a, b) => a * b, 1) === output.shape.reduce((a, b) => a * b, 1);
    return isView ? builder.reshape(x, output.shape) : same('broadcastTo')(context);
  },
  slice: same('slice'),
  pad: same('pad'),
  concat: (context) => (context.inputs.length === 1 ? context.inputs[0]! : same('concat')(context)),
  reverse: (context) => {
    const [x] = context.inputs;
    const axes = context.attributes.axes.filter((axis) => x.shape[axis]! > 1);
    return axes.length === 0 ? x : same('reverse')({ ...context, attributes: { axes } });
  },

  dotGeneral,
  conv,

  gather: same('gather'),
  scatterAdd: same('scatterAdd'),

  stopGradient: ({ inputs: [x] }) => x,
  optimizationBarrier: same('optimizationBarrier'),
};

/** Axes of size one are reduced by a reshape. */
function reduction<K extends 'reduceSum' | 'reduceMax'>(op: K): Lowering<K> {
  return (context) => {
    const { builder, inputs, attributes, output } = context;
    const [x] = inputs;
    const isLong = (axis: number) => x.shape[axis]! > 1;
    if (!attributes.axes.some(isLong)) return builder.reshape(x, output.shape);
    return same(op)(context);
  };
}
