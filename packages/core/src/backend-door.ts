/**
 * `@meanflow/core/backend`: what who writes a backend needs beyond the contract that users see, `Backend`, which comes
 * from `@meanflow/core` with every other type that both know. A graph taken apart (instructions, ops and their
 * attributes), what to do to it before lowering (`prepare`), all that backends have in common but how their device runs a
 * graph and what a buffer is there (`backendOn`), the meaning of special numbers, and the interpreter that says what is right.
 */
export { prepare, preparing, type PrepareOptions } from './prepare.js';
export type { OptionalPass, PassName } from './passes/passes.js';
export type { PassContext, Passing } from './passes/pass.js';
export { nextTurn } from './giving-way.js';
export { FUSED_LIMITS, fusedForm, type FusedForm } from './composites/fused.js';
export { simplify } from './simplify.js';
export { widenFloat16, type HalfKernels } from './widen-float16.js';
export type {
  CompositeCall,
  Instruction,
  NamedValue,
  OpAttributes,
  OpName,
  Program,
  ValueId,
  NodeAttributes,
  TraceNode,
  InstructionOf,
  NodeOf,
} from './tensor.js';
export type {
  Arity,
  ArityOf,
  Operands,
  PrimitiveName,
  PrimitiveAttributes,
  Primitives,
  Op,
  NoAttributes,
} from './ops/attributes.js';
export { primitiveNames } from './ops/table.js';
export { broadcastShapes } from './ops/broadcasting.js';
export { freeAxes } from './ops/dot.js';
export { builtInComposite, builtInComposites, type BuiltInComposite } from './composites/built-in.js';
export { mergeAxes, reshapedStrides, viewsOf, type View, type WalkedAxis } from './views.js';
export { isFloat, stridesOf } from './types.js';
export { each, type Each } from './known.js';

export { backendOn, type DeviceBackend, type Holdings } from './backend/backend.js';
export type { Device, DeviceProgram, NamedArrays, RunControl, Transfers } from './backend/device.js';
export { DeviceLoss, type LossReport } from './backend/device-loss.js';
export type { DeviceExecutable, RunCounters } from './backend/executable.js';
export { loadModule, messageOf, type ModuleSource } from './backend/load-module.js';
export { lowering } from './backend/lower.js';
export {
  describeAdapter,
  findAdapter,
  findGpu,
  inspectWebgpu,
  isSoftware,
  limitsOf,
  requireGpu,
  WEBGPU_DRIVERS,
  type AdapterOptions,
  type AdapterReport,
  type Gpu,
  type GpuAdapter,
  type GpuAdapterInfo,
  type PowerPreference,
} from './backend/webgpu.js';
export { settleOrtTelemetry } from './telemetry.js';

export { interpret } from './interpreter.js';
export { MAX_OF_NOTHING, MISSING, ofNothing, power, toInt32 } from './special-values.js';
export {
  bfloat16ToNumber,
  fromHalves,
  halfToNumber,
  LARGEST_HALF,
  numberToHalf,
  roundToHalf,
  toHalves,
} from './half.js';
export type { SimplifyHooks } from './emitter.js';
