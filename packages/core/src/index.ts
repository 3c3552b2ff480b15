/** `@meanflow/core`: tensors, graphs, derivatives, randomness and the contracts every other package builds on. */
export * from './types.js';
export * from './errors.js';
export * from './nearest-name.js';
export { ownValue } from './own-value.js';
export { printable, printableJson, quoted } from './printable.js';
export * from './half.js';
export { hostArray, HostArray, hostZeros, toHostArray } from './host-array.js';
export type { HostArrayOptions, HostData, NestedNumbers } from './host-array.js';
export { checkChoice, checkOptions, type OptionNames } from './check-options.js';
export { describeValue, typedArrayName } from './describe-value.js';
export { checkLabels } from './labels.js';
export * from './special-values.js';
export * from './random.js';
export * from './pytree.js';

export { Tensor } from './tensor.js';
export * from './functions.js';
export { gelu, relu, silu, softplus } from './composites/activations.js';
export { groupNorm, layerNorm, rmsNorm, softmax, type Affine } from './composites/normalization.js';
export { attention } from './composites/attention.js';
export { adamUpdate, type AdamConstants } from './composites/optimizer.js';
export { builtInComposite, builtInComposites, type BuiltInComposite } from './composites/built-in.js';

export { trace, spec, TensorSpec, type SpecLeaf, type Traced, type TracedFunction } from './trace.js';
export { Graph, type Instruction, type NamedValue, type ValueId } from './graph.js';
export type { GraphStats } from './graph-stats.js';
export { jvp, type TangentLike, type TangentTree } from './jvp.js';
export { grad, valueAndGrad, vjp, type GradOptions } from './grad.js';
export { checkpoint } from './checkpoint.js';
export { simplify } from './simplify.js';
export { prepare, type PrepareOptions } from './prepare.js';

export type { ConvWindow, DotDimensions, OpAttributes, OpName, PrimitiveName } from './ops/attributes.js';
export {
  callComposite,
  type CompositeCall,
  type CompositeDefinition,
  type CompositeParameters,
} from './ops/composite.js';
export { freeAxes } from './ops/dot.js';
export { broadcastShapes } from './ops/broadcasting.js';
export { primitiveNames } from './ops/table.js';

export * from './backend.js';
export { checkCompileOptions, checkInputs, isDeviceArray, takeInputs } from './check-inputs.js';
export { settleOrtTelemetry } from './telemetry.js';
export { LiveExecutables } from './live-executables.js';
export { interpret } from './interpreter.js';
export { referenceBackend } from './reference-backend.js';
export type { Network, Symbolic } from './network.js';
export type { Objective } from './objective.js';
