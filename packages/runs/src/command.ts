/**
 * `@meanflow/runs/command`: what the `meanflow` command is made of beside `@meanflow/runs/node`: configurations of files, data and
 * classifiers as options name them, notes and numbers as text, samples as files. It is there for the command, and changes with it.
 */
export { type ImageSettings, type LatentSettings, type TableSettings } from './config/data-schema.js';
export { type Assignment, readAssignment } from './config/assignment.js';
export { type DescribedField, describeFields } from './config/field-list.js';
export { overlaid } from './config/layers.js';
export { merge } from './config/merge.js';
export { averageText } from './config/optimizer-schema.js';
export { openConfigFile, parseConfig, readConfigFile } from './config/read-file.js';
export {
  askedRunSchema,
  checkAskedRun,
  type ComparisonConfig,
  comparisonConfigSchema,
  runConfigSchema,
} from './config/schema.js';
export { averageNote, chosenAverage, emaOf } from './experiment/averages.js';
export { accuracyText, classifierIn } from './experiment/classifier.js';
export { loadRequest } from './experiment/comparison-file.js';
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
export { drawPlanned, planSamples, type DrawOptions, type SamplePlan } from './experiment/sample.js';
export { kindOf, openData, openJudged } from './experiment/open-data.js';
export { publishedData, publishedSampling } from './experiment/published.js';
export { openDataOf, openJudgedDataOf, resolveRun } from './experiment/resolve.js';
export {
  loadAlike,
  loadedPlugins,
  openConfigWithPlugins,
  typedBackend,
  type PluginRequest,
} from './plugins/load.js';
export { fileOf } from './plugins/plugin.js';
export { pluginOptions, recordText } from './plugins/recorded.js';
export { isArrayFile, isSampleFile, openSamples } from './experiment/sample-files.js';
export { drawnPieces, type SamplePiece } from './experiment/sample-stream.js';
export { shortRunNote } from './experiment/short-run.js';
export { solverNamed } from './experiment/solvers.js';
export { scheduleOf } from './experiment/training.js';
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
export { readLastMetrics } from './run-metrics.js';
export { installedVersion } from './installed-version.js';
export { findOrtPackage, loadOnnxRuntime } from './onnx-runtime.js';
export { installCommand, type Runtime, type RuntimeName, runtimes } from './runtimes.js';
export { writePngFolder } from './sample-folder.js';
export { checkFolderOutput, checkFormat, formatSamples, isFolderOutput } from './sample-formats.js';
export { className } from './sample-table.js';
export { shellWord } from './shell.js';
export { allowsSoftware, withAdapters, withSoftwareHint } from './software-adapters.js';
