/** Reductions. Operands without elements do not come here: `lowerGraph` fills their results. */
import type { ValueName } from '../onnx/model.js';
import type { ModelBuilder } from '../onnx/model-builder.js';
import { castTo } from './elementwise.js';
import type { Lowering } from './lowering.js';
import { sumInParts } from './sums.js';

export function reduce(builder: ModelBuilder, op: string, x: ValueName, axes: readonly number[]): ValueName {
  // An empty list of axes would mean all of them.
  if (axes.length === 0) return x;
  return builder.node(op, [x, builder.ints(axes)], { attributes: { keepdims: 0n } });
}

/** ONNX Runtime's int32 sum stops at the largest integer; core's wraps, as a 64-bit sum cut to 32 bits does. */
export const reduceSum: Lowering<'reduceSum'> = ({ builder, inputs: [x], attributes: { axes } }) => {
  if (x.dtype === 'float32') return sumInParts(builder, x.name, x.shape, axes);
  return castTo(builder, reduce(builder, 'ReduceSum', castTo(builder, x.name, 'int64'), axes), 'int32');
};

/** Without the 64 bits, which GPU providers lack. */
export const portableReduceSum: Lowering<'reduceSum'> = (context) => {
  const { builder, inputs, attributes } = context;
  if (inputs[0].dtype === 'float32') return reduceSum(context);
  return reduce(builder, 'ReduceSum', inputs[0].name, attributes.axes);
};

/**
 * ONNX Runtime's ReduceMax overlooks a NaN that is not the first element. The sum of magnitudes is NaN exactly where
 * an element is, and puts it back.
 */
export const reduceMax =
  (isNaN: (builder: ModelBuilder, x: ValueName) => ValueName): Lowering<'reduceMax'> =>
  ({ builder, inputs: [x], attributes: { axes } }) => {
    const maximum = reduce(builder, 'ReduceMax', x.name, axes);
    if (x.dtype !== 'float32' || axes.length === 0) return maximum;
    const magnitude = reduce(builder, 'ReduceL1', x.name, axes);
    return builder.node('Where', [isNaN(builder, magnitude), magnitude, maximum]);
  };

/** Of operators that every provider has: not all have IsNaN. */
export const portableReduceMax = reduceMax((builder, x) =>
  builder.node('Not', [builder.node('Equal', [x, x])]),
);

/** ONNX Runtime's ArgMax overlooks NaNs, of which the first is looked for where there is one. */
export const argMax: Lowering<'argMax'> = ({ builder, inputs: [x], attributes: { axis } }) => {
  const attributes = { axis: BigInt(axis), keepdims: 0n };
  const first = (of: ValueName): ValueName => builder.node('ArgMax', [of], { attributes });
  if (x.dtype !== 'float32') return castTo(builder, first(x.name), 'int32');
  const isNaN = castTo(builder, builder.node('IsNaN', [x.name]), 'float32');
  const count = reduce(builder, 'ReduceMax', isNaN, [axis]);
  const hasNaN = builder.node('Less', [builder.scalar('float32', 0), count]);
  return castTo(builder, builder.node('Where', [hasNaN, first(isNaN), first(x.name)]), 'int32');
};
