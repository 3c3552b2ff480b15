/**
 * `@meanflow/core`: tensors, graphs, derivatives, randomness and the contracts every other package builds on. What only
 * who writes a backend needs comes by the second door, `@meanflow/core/backend`.
 */
export {
  bytesPerElement,
  formatShape,
  formatType,
  sameShape,
  sizeOf,
  type DType,
  type HostDType,
  type Shape,
  type TensorType,
} from './types.js';
export * from './errors.js';
export { didYouMean } from './nearest-name.js';
export { ownValue } from './own-value.js';
export { leading, pick } from './known.js';
export { printable, printableJson, quoted } from './printable.js';
export { hostArray, HostArray, hostZeros, toHostArray } from './host-array.js';
export type { HostArrayOptions, HostData, NestedNumbers } from './host-array.js';
export { checkChoice, checkOptions, type OptionNames } from './check-options.js';
export { describeValue, typedArrayName } from './describe-value.js';
export { Registry } from './registry.js';
export {
  fieldPath,
  placeOf,
  validate,
  type FieldPath,
  type Schema,
  type SchemaIssue,
  type ValueSource,
} from './validate.js';
export { checkLabels } from './labels.js';
export {
  checkConditions,
  checkConditionSpecs,
  type ConditionArrays,
  type ConditionKind,
  type ConditionSpec,
  type ConditionSpecs,
} from './conditions.js';
export { RandomKey } from './random.js';
export * from './pytree.js';

import './methods.js';
export { Tensor, type CompositeDefinition, type CompositeParameters, type Tangent } from './tensor.js';
export * from './functions.js';
export { gelu, relu, silu, softplus } from './composites/activations.js';
export { groupNorm, layerNorm, rmsNorm, softmax, type Affine } from './composites/normalization.js';
export { attention } from './composites/attention.js';
export { adamUpdate, type AdamConstants } from './composites/optimizer.js';

export { trace, spec, TensorSpec, type SpecLeaf, type Traced, type TracedFunction } from './trace.js';
export { Graph } from './graph.js';
export type { GraphStats } from './graph-stats.js';
export { jvp, type TangentLike, type TangentTree } from './jvp.js';
export { grad, valueAndGrad, vjp, type GradOptions } from './grad.js';
export { checkpoint } from './checkpoint.js';
export type { ConvWindow, DotDimensions } from './ops/attributes.js';
export { callComposite } from './composite.js';

export * from './backend.js';
export { isDeviceArray } from './check-inputs.js';
export { referenceBackend } from './reference-backend.js';
export type { Network, Symbolic } from './network.js';
export type * from './objective.js';
export { checkRows, rowsOf, type RowRange } from './rows.js';
