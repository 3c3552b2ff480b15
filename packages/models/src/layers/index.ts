/**
 * What networks are composed of: parameters described before they exist, layers, and blocks of them. A layer is a function of
 * its parameters and tensors, beside one that describes those parameters; there are no objects to register them in. Tokens are
 * `[batch, tokens, width]`; convolutions take `[batch, channels, height, width]`, patches `[batch, height, width, channels]`.
 */
export {
  countParameters,
  initialiser,
  initialParameters,
  normalWith,
  ones,
  ParameterSpec,
  uniformWithin,
  zeros,
  type Described,
  type Initialiser,
  type Parameter,
} from './parameters.js';

export { activationName, activations, type ActivationName } from './activation.js';
export {
  initialValues,
  linear,
  linearParameters,
  type LinearInitialisation,
  type LinearParameters,
} from './linear.js';
export {
  conv2d,
  conv2dParameters,
  type Conv2dInitialisation,
  type Conv2dOptions,
  type Conv2dParameters,
} from './conv2d.js';
export { doubled, downsample, halved, resampleFilter, upsample } from './resample.js';
export { rmsNormParameters, scaledRmsNorm, type RmsNormParameters } from './norm.js';
export { groupNormParameters, scaledGroupNorm, type GroupNormParameters } from './group-norm.js';
export { modulatedNorm, modulations } from './modulation.js';
export { drawDropout, dropout } from './dropout.js';

export {
  embedPatches,
  patchEmbeddingParameters,
  patchGrid,
  patchify,
  patchWidth,
  unpatchify,
  type PatchEmbeddingParameters,
  type PatchGrid,
} from './patches.js';
export { sinusoidalPositions } from './positions.js';
export { rotaryTable, rotaryTable2d, rotate, type RotaryTable } from './rotary.js';
export { multiHeadAttention, type AttentionOptions } from './attention.js';
export { imageAttention } from './image-attention.js';
export {
  geluMlp,
  geluMlpParameters,
  swiGlu,
  swiGluParameters,
  type GeluMlpParameters,
  type SwiGluParameters,
} from './feed-forward.js';

export { embedPoint, featuresWidth, fourierFeatures, type FourierFeatures } from './fourier-features.js';
export { embeddingWidth, embedScalar, scalarEmbedding, type ScalarEmbedding } from './scalar-embedding.js';
export { classEmbeddingParameters, embedClass, type ClassEmbeddingParameters } from './class-embedding.js';
export { embedderParameters, embedFeatures, type EmbedderParameters } from './embedder.js';
export {
  conditionTokenCount,
  conditionTokenParameters,
  conditionTokens,
  type ConditionTokenCounts,
  type ConditionTokenParameters,
  type NumberTokens,
  type TokenConditions,
} from './condition-tokens.js';
export {
  planConditions,
  sequenceLength,
  sequenceTokenParameters,
  sequenceTokens,
  withBeside,
  type ConditionPlan,
  type EnteringConditions,
  type PlanOptions,
  type SequenceTokenParameters,
} from './given-conditions.js';

export { gatedBlock, gatedBlockParameters, type GatedBlockParameters } from './gated-block.js';
export {
  imageBlock,
  imageBlockParameters,
  type ImageBlockParameters,
  type ImageBlockShape,
} from './image-block.js';
export { resnetBlock, resnetBlockParameters, type ResnetBlockParameters } from './resnet-block.js';
export {
  unetBlock,
  unetBlockParameters,
  unetNorm,
  type UNetBlockOptions,
  type UNetBlockParameters,
  type UNetBlockShape,
} from './unet-block.js';
