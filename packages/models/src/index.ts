/** `@meanflow/models`: networks that predict velocities, and the objectives that train them. */
export {
  adoptParameters,
  type AdoptedParameter,
  type AdoptionReport,
  type AdoptOptions,
  type GivenParameters,
  type Origin,
} from './adopt/adopt.js';
export { adoptionText } from './adopt/report-text.js';
export * from './layers/index.js';

export {
  checkLabel,
  classWidth,
  condition,
  conditionFeatures,
  conditioningFields,
  conditioningParameters,
  conditionWidth,
  scalarConditions,
  type ConditionForm,
  type ConditioningConfig,
  type ConditioningParameters,
  type TimeInputs,
} from './networks/conditioning.js';
export {
  createNetwork,
  networks,
  networkSettingsSchema,
  type NetworkConfig,
  type NetworkSettings,
} from './networks/registry.js';
export {
  dit,
  type DitConfig,
  type DitParameters,
  type DitBlockParameters,
  type DitOutputParameters,
} from './networks/dit.js';
export { imfDit, type ImfDitConfig, type ImfDitParameters } from './networks/imf-dit.js';
export type {
  InContextConfig,
  InContextParameters,
  HeadParameters,
} from './networks/in-context-transformer.js';
export { mlp, type MlpConfig, type MlpParameters } from './networks/mlp.js';
export {
  composeNetwork,
  type AnyNetwork,
  type AnyNetworkConfig,
  type ConfiguredNetwork,
  type NetworkFacts,
  type NetworkParts,
  type AnyNetworkParts,
  type SpecTree,
} from './networks/network.js';
export type { NetworkDefinition, NetworkEntry } from './networks/definition.js';
export { pmfDit, type PmfDitConfig, type PmfDitParameters } from './networks/pmf-dit.js';
export { networkPreset, networkPresets } from './networks/presets.js';
export {
  denormaliseLatents,
  latentDecoder,
  latentNormalisations,
  normaliseLatents,
  sampleLatents,
  toPixels,
  type LatentNormalisation,
} from './networks/latents.js';
export {
  sdVaeDecoder,
  sdVaeEncoder,
  sdVaeSchema,
  type LatentDistribution,
  type SdVaeConfig,
  type SdVaeDecoderParameters,
  type SdVaeEncoderParameters,
  type SdVaeHalf,
  type SdVaeLevelParameters,
  type SdVaeMiddleParameters,
} from './networks/sd-vae.js';
export { unet, type UNetConfig, type UNetParameters } from './networks/unet.js';
export { songUNet, type SongUNetParameters } from './networks/song-unet.js';
export type { SongUNetConfig } from './networks/song-unet-plan.js';
export {
  residualMlp,
  type ResidualMlpConfig,
  type ResidualMlpParameters,
  type ResidualMlpBlockParameters,
  type ResidualMlpOutputParameters,
} from './networks/residual-mlp.js';

export {
  commonDraws,
  pathPoints,
  type Drops,
  type PathPoints,
  type PathSettings,
} from './objectives/points.js';
export type { Coupling } from './objectives/coupling.js';
export type { VelocityTarget } from './objectives/expected-velocity.js';
export {
  inTraining,
  noInterval,
  velocityWithDerivative,
  type DifferentiatedRows,
  type Evaluation,
} from './objectives/shared.js';
export type { IntervalRows } from './objectives/interval-rows.js';
export { conditionDrop, type ConditionDrop, type RowInputs } from './objectives/condition-drop.js';
export {
  adaptiveWeight,
  adaptivelyWeighted,
  squaredNorm,
  type AdaptiveWeight,
} from './objectives/adaptive-weight.js';
export { createObjective, objectives, objectiveSchema, type ObjectiveConfig } from './objectives/registry.js';
export { flowMatching, type FlowMatchingConfig } from './objectives/flow-matching.js';
export { improvedMeanFlow, type ImprovedMeanFlowConfig } from './objectives/improved-meanflow.js';
export { labelDrop, type LabelDrop } from './objectives/label-drop.js';
export { meanFlow, type MeanFlowConfig } from './objectives/meanflow.js';
export { improvedMeanFlowEvaluation, improvedMeanFlowPreset, meanFlowPresets } from './objectives/presets.js';
export type { ObjectiveDefinition, ObjectiveEntry, ObjectiveSettings } from './objectives/definition.js';
export type {
  AnyObjective,
  AnyObjectiveConfig,
  BatchShape,
  ConfiguredObjective,
  TrainingBatch,
  VelocityDrawInputs,
  VelocityDraws,
  VelocityLossInputs,
  VelocityObjective,
  VelocityStep,
} from './objectives/velocity-objective.js';
export type { SettingsSchema, StandardSchema, KindSettings } from './schema.js';
export type { ParameterTree, VelocityInputs, VelocityNetwork, VelocityOutputs } from '@meanflow/samplers';
export type { ParameterRole, ParameterRoles, RoleFacts, RowGroup } from './adopt/roles.js';
export type { Colours } from './objectives/colours.js';
