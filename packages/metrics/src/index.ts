/** `@meanflow/metrics`: how good samples are. On host arrays, in float64, the same on every machine for the same key. */
export {
  slicedWasserstein2,
  sortedWasserstein2Squared,
  type SlicedWassersteinOptions,
} from './sliced-wasserstein.js';
export { energyDistance, type EnergyDistanceOptions } from './energy-distance.js';
export { medianDistance, mmdSquared, type MmdOptions } from './mmd.js';
export { type Estimator } from './pairwise.js';
export {
  modeCoverage,
  shareOffSupport,
  type ModeCoverage,
  type ModeCoverageOptions,
  type Support,
} from './support.js';
export {
  featureStatistics,
  frechetDistance,
  frechetDistanceOfStatistics,
  type FeatureStatistics,
} from './frechet.js';
export { FeatureAccumulator } from './feature-accumulator.js';
export type { ExtractedFeatures, FeatureExtractor } from './feature-extractor.js';
export { onnxFeatureExtractor } from './onnx-features.js';
export type {
  OnnxFeatureOptions,
  OrtRuntime,
  PixelRange,
  ImageLayout,
  OrtSession,
  OrtValue,
  OrtValueMetadata,
} from './onnx-options.js';
export { decodeStatistics, encodeStatistics, type StatisticsKind } from './reference-statistics.js';
export { classAccuracy, classFrechetDistance } from './class-accuracy.js';
export {
  densityCoverage,
  precisionRecall,
  type DensityCoverage,
  type ManifoldOptions,
  type PrecisionRecall,
} from './manifolds.js';
export {
  meanNeighbourDistance,
  nearestNeighbours,
  neighbourDistanceRatio,
  neighbourLabelAgreement,
  type Neighbours,
} from './neighbours.js';
export { metrics } from './metric.js';
export { metric, type Evaluation, type Metric, type MetricDefinition } from './metric-definition.js';
export { inceptionScore, type InceptionScore } from './inception-score.js';
