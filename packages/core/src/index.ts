/**
 * `@meanflow/core`: for who writes programs, networks and objectives, and runs them: tensors and the functions on them, derivatives,
 * traces, arrays on the host, randomness, the contracts of networks, objectives and backends, and the errors. What only who writes
 * a backend needs comes by `@meanflow/core/backend`, and what says what is wrong with a value from outside by
 * `@meanflow/core/validation`.
 */
export {
  hostDTypeOf,
  sameShape,
  sizeOf,
  type DType,
  type HostDType,
  type HostDTypeOf,
  type Shape,
  type TensorType,
} from './types.js';
export * from './errors.js';
export type { BlobLike, CancellationSignal } from './platform.js';
export { hostArray, HostArray, hostZeros } from './host-array.js';
export type { HostArrayOptions, HostData, NestedNumbers } from './host-array.js';
export type { ConditionArrays, ConditionKind, ConditionSpec, ConditionSpecs } from './conditions.js';
export { RandomKey } from './random.js';
export {
  treeFlatten,
  treeLeaves,
  treeMap,
  treePaths,
  treeRecord,
  treeZip,
  treeZipMap,
  type MapLeaves,
  type PathLeaf,
  type Tree,
  type TreeOf,
  type TreeStructure,
} from './pytree.js';

import './methods.js';
export { Tensor, type CompositeDefinition, type CompositeParameters, type Tangent } from './tensor.js';
export * from './functions.js';
export { gelu, relu, silu, softplus, type GeluOptions } from './composites/activations.js';
export {
  groupNorm,
  layerNorm,
  rmsNorm,
  softmax,
  type Affine,
  type GroupNormOptions,
  type NormOptions,
} from './composites/normalization.js';
export { attention, type AttentionOptions } from './composites/attention.js';
export { adamUpdate, type AdamConstants } from './composites/optimizer.js';

export {
  trace,
  traceGivingWay,
  spec,
  TensorSpec,
  type SpecLeaf,
  type Traced,
  type TracedFunction,
  type TraceOptions,
} from './trace.js';
export { Graph } from './graph.js';
export type { GraphStats } from './graph-stats.js';
export { jvp, type TangentLike, type TangentTree } from './jvp.js';
export { grad, valueAndGrad, valueAndGradInSteps, vjp, type GradOptions } from './grad.js';
export { drain, drainGivingWay, type Steps } from './giving-way.js';
export { checkpoint, type CheckpointOptions } from './checkpoint.js';
export { fitMemory, recomputable, recomputing, type BlockChoice, type MemoryPlan } from './recomputable.js';
export { autocast, precisions, type Precision } from './autocast.js';
export type { ConvWindow, DotDimensions } from './ops/attributes.js';
export { callComposite } from './composite.js';

export * from './backend.js';
export { isDeviceArray } from './check-inputs.js';
export { referenceBackend } from './reference-backend.js';
export type { Network, Symbolic } from './network.js';
export type * from './objective.js';
export { rowsOf, type RowRange } from './rows.js';
