/**
 * `@meanflow/runs/node`: training, judging, comparing and exporting as programs do it, with folders and files: what the `meanflow` command
 * is a face on.
 */
export { type BackendEntry, backends, openBackend } from './backends.js';
export { type ImageSettings, type LatentSettings, type TableSettings } from './config/data-schema.js';
export { merge } from './config/merge.js';
export { averageText } from './config/optimizer-schema.js';
export { openConfigFile, parseConfig, readConfigFile } from './config/read-file.js';
export {
  askedRunSchema,
  checkAskedRun,
  comparisonConfigSchema,
  type Recipe,
  type RunConfig,
  runConfigSchema,
} from './config/schema.js';
export { averageNote, chosenAverage, emaOf } from './experiment/averages.js';
export { accuracyText, classifierIn } from './experiment/classifier.js';
export { type ComparisonRequest, loadRequest } from './experiment/comparison-file.js';
export { withGuidance } from './experiment/guidance.js';
export { digestOf } from './experiment/data-digest.js';
export { located, withPlacesOfRun } from './experiment/data-place.js';
export { classByClass, classOf, drawSamples } from './experiment/draw.js';
export { createJudge, type GivenRows, heldOutRows, type Judge, scoreModel } from './experiment/evaluation.js';
export { type ExtractorSettings, type ImageFacts, openExtractor } from './experiment/extractor.js';
export {
  checkReadable,
  type FeatureReference,
  referenceOf,
  scoreFeatures,
} from './experiment/feature-scores.js';
export { featuresOf, statisticsOfTraining } from './experiment/features.js';
export { mergeRuns, withSteps } from './experiment/lengths.js';
export { checkSampleMemory } from './experiment/memory.js';
export { loadModel, passedOverText } from './experiment/load-model.js';
export { type DataFacts, type Generator, type Labels, type Model } from './experiment/model.js';
export { drawPlanned, planSamples, type SampleChoice, type Samples } from './experiment/sample.js';
export { openRun, type Run, type RunCheckpoint } from './node/open-run.js';
export {
  resumeRun,
  trainRun,
  type BegunRun,
  type NewRunOptions,
  type ResumeChanges,
  type RunSettings,
  type TrainedRun,
  type TrainRunOptions,
} from './node/train-run.js';
export { openModel, saveModel, type OpenOptions } from './node/open-model.js';
export { OpenModel, type ModelSource, type SampleRequest } from './open-model.js';
export type { FinishedRun, RunTask } from './experiment/one-run.js';
export { kindOf, openData, openJudged } from './experiment/open-data.js';
export { publishedData, publishedSampling } from './experiment/published.js';
export { openDataOf, openJudgedDataOf, type ResolvedRun, resolveRun } from './experiment/resolve.js';
export { isArrayFile, isSampleFile, openSamples } from './experiment/sample-files.js';
export { drawnPieces, type SamplePiece } from './experiment/sample-stream.js';
export { shortRunNote } from './experiment/short-run.js';
export { solverNamed } from './experiment/solvers.js';
export { scheduleOf } from './experiment/training.js';
export type { WarmStart } from './experiment/warm-start.js';
export { checkModelName } from './export/triton.js';
export {
  checkOverwrite,
  makeOutputFolder,
  overwriteError,
  prepareOutput,
  withFileErrors,
  writeOutput,
} from './files.js';
export { paddingText } from './recipes/images.js';
export { recipeFor } from './recipes/index.js';
export {
  publishedRecipe,
  publishedRecipeNames,
  publishedRecipeText,
  publishedRecipeTitle,
} from './recipes/published.js';
export { bytesText, countText, durationText, metricText, rateText } from './report/numbers.js';
export type { ComparisonResults, DatasetResults, MetricColumn } from './report/results.js';
export { readLastMetrics } from './run-metrics.js';
export { installedVersion, type Runtime, runtimes } from './runtimes.js';
export { writePngFolder } from './sample-folder.js';
export { checkFolderOutput, checkFormat, formatSamples, isFolderOutput } from './sample-formats.js';
export { className } from './sample-table.js';
export { allowsSoftware, withAdapters, withSoftwareHint } from './software-adapters.js';
export * from './names.js';
export {
  compareRuns,
  type BegunComparison,
  type CompareRunsOptions,
  type Comparison,
} from './node/compare-runs.js';
export { exportSampler, type ExportedSampler, type ExportSamplerOptions } from './node/export-sampler.js';
export { judge, type JudgedRow, type Judgement, type JudgeOptions } from './node/judge.js';
