/** `@meanflow/samplers`: time distributions, the path from data to noise, and the ways back along it. */
export { sampleTimes, timeDistribution, type TimeDistribution, type Times } from './time/distribution.js';
export {
  rowsWithInterval,
  sampleIntervals,
  type Intervals,
  intervalSampler,
  type IntervalSampler,
} from './time/intervals.js';
export { intervalPresets } from './time/presets.js';
export {
  sampleGuidance,
  type GuidanceConditions,
  guidanceSampler,
  type GuidanceSampler,
} from './time/guidance-draws.js';

export { paths, perRow, velocityFromData, type Path, type PathName } from './path.js';
export type {
  DropoutDraw,
  ParameterTree,
  ParameterTreeOf,
  VelocityInputs,
  VelocityNetwork,
  VelocityOutputs,
} from './velocity-network.js';
export {
  droppedByGuidance,
  joinConditions,
  rowConditions,
  withoutConditions,
  type GivenConditions,
  type RowCondition,
} from './conditions.js';
export {
  velocityField,
  type FieldConditions,
  type FieldOptions,
  type GuidanceTensors,
  type VelocityField,
} from './field.js';
export { guidedVelocity } from './guidance.js';

export * from './solvers/index.js';
export { checkGrid, uniformGrid, type TimeGrid } from './grid.js';
export {
  createSampler,
  type SampleChunk,
  type Sampler,
  type SampleResult,
  type SamplerOptions,
  type SamplerProgress,
} from './sampler.js';
export type {
  ClassifierFreeGuidance,
  GuidanceCondition,
  ParametersInput,
  SampleRequest,
} from './sample-request.js';
export type { ProgramPhase } from './program.js';
export { createDecoder, type Decoder, type DecoderOptions, type SampleDecoder } from './decoder.js';
export { sampleGraph, type SampleGraph, type SampleGraphOptions } from './sample-graph.js';
