/**
 * Composites that ONNX Runtime has an operator for, and takes whole: those whose operator is at least as fast as the
 * decomposition on the CPU provider. The ratio beside each is time of the decomposition / time of the operator, one
 * thread, ONNX Runtime 1.30, AMD EPYC; activations on [1024, 768], normalisations on [1024, 192]. Left to their
 * decomposition: softplus (0.2: the operator is scalar code) and adamUpdate (there is none).
 */
import { sizeOf, type CompositeCall, type CompositeParameters, type Shape } from '@meanflow/core';
import type { Operand } from './lowerings/lowering.js';
import { MICROSOFT_DOMAIN, type AttributeValue, type ValueName } from './onnx/model.js';
import type { ModelBuilder } from './onnx/model-builder.js';

type Kernel = (
  builder: ModelBuilder,
  inputs: readonly Operand[],
  parameters: CompositeParameters,
) => readonly ValueName[];

/** An operator of the composite's own operands. */
const operator =
  (op: string, attributes: Readonly<Record<string, AttributeValue>> = {}, domain = ''): Kernel =>
  (builder, inputs) => {
    const operands = inputs.map(({ name }) => name);
    return [builder.node(op, operands, { attributes, domain })];
  };

/** A normalisation over the last axis; the operators insist on a scale. */
const normalisation =
  (op: string): Kernel =>
  (builder, [x], { epsilon }) => {
    const features = x.shape[x.shape.length - 1];
    const ones = builder.constant(
      'float32',
      [features],
      Array.from({ length: features }, () => 1),
    );
    return [builder.node(op, [x.name, ones], { attributes: { axis: -1n, epsilon: epsilon as number } })];
  };

export type Kernels = Readonly<Record<string, Kernel>>;

export const generalKernels: Kernels = {
  silu: operator('QuickGelu', { alpha: 1 }, MICROSOFT_DOMAIN), // 1.0: ONNX Runtime fuses the decomposition into it
  gelu: operator('Gelu', { approximate: 'none' }), // 1.6
  geluTanh: operator('Gelu', { approximate: 'tanh' }), // 2.0; FastGelu is the same kernel
  softmax: operator('Softmax', { axis: -1n }), // 3.0 on [48, 64, 64], 1.5 on [1024, 10]
  layerNorm: normalisation('LayerNormalization'), // 1.3
  rmsNorm: normalisation('RMSNormalization'), // 1.5
  // 1.0 on [16, 3, 64, 64], 1.1 on [1, 3, 64, 64]
  attention: (builder, inputs, { scale }) =>
    operator('Attention', { scale: scale as number })(builder, inputs, {}),
};

/** Operators of opset 21 and before, which is where GPU providers' kernels end. */
const { rmsNorm: _rmsNorm, attention: _attention, ...olderKernels } = generalKernels;
export const portableKernels: Kernels = olderKernels;

/** Operators of the ONNX standard alone. */
const { silu: _silu, ...standardOperators } = portableKernels;
export const standardKernels: Kernels = standardOperators;

const hasElements = (shape: Shape): boolean => sizeOf(shape) > 0;

/** Which composites are taken whole. Operands without elements are left to the decomposition. */
export const hasKernelIn =
  (kernels: Kernels) =>
  ({ definition, body }: CompositeCall): boolean =>
    definition.name in kernels && body.types.every(({ shape }) => hasElements(shape));

/** Writes a composite as ONNX Runtime's own operator. */
export function lowerComposite(
  kernels: Kernels,
  builder: ModelBuilder,
  { definition, parameters }: CompositeCall,
  inputs: readonly Operand[],
): readonly ValueName[] {
  return kernels[definition.name](builder, inputs, parameters);
}
