/**
 * Composites that ONNX Runtime has an operator for, and takes whole: those whose operator is at least as fast as the
 * decomposition on the CPU provider. The ratio beside each is time of the decomposition / time of the operator, one
 * thread, ONNX Runtime 1.30, AMD EPYC, on [1024, 192]. Left to their decomposition: silu, gelu and geluTanh, whose
 * operators are accurate to some ulp of x and lose what is left of it in the tail; softplus (0.2: the operator is scalar
 * code) and adamUpdate (there is none).
 *
 * An operator stands for core's own definition of a composite, not for its name, and for parameters that it takes as the
 * decomposition does.
 */
import { sizeOf, type CompositeParameters, type Shape, type TensorType } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { builtInComposite, type BuiltInComposite, type CompositeCall } from '@meanflow/core/backend';
import type { Operand } from './lowerings/lowering.js';
import { portableReduceMax } from './lowerings/reductions.js';
import type { AttributeValue, ValueName } from './onnx/model.js';
import type { ModelBuilder } from './onnx/model-builder.js';

interface Kernel {
  /** Whether it computes the composite with these parameters and operands; with any, where it does not say. */
  readonly accepts?: (parameters: CompositeParameters, operands: readonly TensorType[]) => boolean;
  readonly lower: (
    builder: ModelBuilder,
    inputs: readonly Operand[],
    parameters: CompositeParameters,
  ) => readonly ValueName[];
}

/** An operator of the composite's own operands. */
const operator = (
  op: string,
  attributes: Readonly<Record<string, AttributeValue>> = {},
  domain = '',
): Kernel => ({
  lower: (builder, inputs) => {
    const operands = inputs.map(({ name }) => name);
    return [builder.node(op, operands, { attributes, domain })];
  },
});

/** The operators of normalisations add up a row term by term, whose roundings are noticed in longer rows than this. */
const LONGEST_ROW = 2 ** 14;

/** A normalisation over the last axis; the operators insist on a scale. */
const normalisation = (op: string): Kernel => ({
  accepts: ({ epsilon }, operands) => {
    const [x] = leading(operands, 1);
    return Number.isFinite(epsilon) && (epsilon as number) >= 0 && x.shape.at(-1)! <= LONGEST_ROW;
  },
  lower: (builder, inputs, { epsilon }) => {
    const [x] = leading(inputs, 1);
    const features = x.shape.at(-1)!;
    const ones = builder.constant(
      'float32',
      [features],
      Array.from({ length: features }, () => 1),
    );
    return [builder.node(op, [x.name, ones], { attributes: { axis: -1n, epsilon: epsilon as number } })];
  },
});

export type Kernels = Readonly<Partial<Record<BuiltInComposite, Kernel>>>;

export const generalKernels: Kernels = {
  softmax: operator('Softmax', { axis: -1n }), // 3.0 on [48, 64, 64], 1.5 on [1024, 10]
  layerNorm: normalisation('LayerNormalization'), // 1.3
  rmsNorm: normalisation('RMSNormalization'), // 1.5
  // 1.0 on [16, 3, 64, 64], 1.1 on [1, 3, 64, 64]
  attention: {
    // The operator takes the scale's root, for either operand.
    accepts: ({ scale }) => Number.isFinite(scale) && Math.fround(scale as number) > 0,
    lower: (builder, inputs, parameters) =>
      operator('Attention', { scale: parameters.scale as number }).lower(builder, inputs, parameters),
  },
};

/**
 * Softmax by an operator that may make zeros of rows whose maximum is not finite, as the WebGPU provider's does: they
 * become NaN, which a divergence must not be hidden by.
 */
const guardedSoftmax: Kernel = {
  lower: (builder, inputs) => {
    const [x] = leading(inputs, 1);
    const last = x.shape.length - 1;
    const shape = x.shape.slice(0, -1);
    const top = portableReduceMax({
      builder,
      inputs: [x],
      attributes: { axes: [last] },
      output: { dtype: 'float32', shape },
    });
    const number = (value: number) => builder.scalar('float32', value);
    const isFinite = builder.node('Less', [builder.node('Abs', [top]), number(Infinity)]);
    const kept = builder.node('Reshape', [isFinite, builder.ints([...shape, 1])]);
    const softmax = builder.node('Softmax', [x.name], { attributes: { axis: -1n } });
    return [builder.node('Where', [kept, softmax, number(NaN)])];
  },
};

/** Operators of opset 21 and before, which is where GPU providers' kernels end. */
const { rmsNorm: _rmsNorm, attention: _attention, ...olderKernels } = generalKernels;
export const cudaKernels: Kernels = olderKernels;
export const portableKernels: Kernels = { ...olderKernels, softmax: guardedSoftmax };

const hasElements = (shape: Shape): boolean => sizeOf(shape) > 0;

const kernelOf = (kernels: Kernels, call: CompositeCall): Kernel | undefined => {
  const name = builtInComposite(call);
  return name && kernels[name];
};

/** Which composites are taken whole. Operands without elements are left to the decomposition. */
export const hasKernelIn =
  (kernels: Kernels) =>
  (call: CompositeCall): boolean => {
    const kernel = kernelOf(kernels, call);
    if (kernel === undefined) return false;
    const { accepts = () => true } = kernel;
    const { inputs, types } = call.body;
    const operands = inputs.map(({ value }) => types[value]!);
    return accepts(call.parameters, operands) && types.every(({ shape }) => hasElements(shape));
  };

/** Writes a composite as ONNX Runtime's own operator. */
export function lowerComposite(
  kernels: Kernels,
  builder: ModelBuilder,
  call: CompositeCall,
  inputs: readonly Operand[],
): readonly ValueName[] {
  return kernelOf(kernels, call)!.lower(builder, inputs, call.parameters);
}
