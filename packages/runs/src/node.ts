/**
 * `@meanflow/runs/node`: training, judging, comparing, sampling and exporting as programs do it, with folders and files. What the
 * `meanflow` command is made of beside, texts and files above all, is in `@meanflow/runs/command`.
 */
export { type BackendEntry, backends, openBackend } from './backends.js';
export type {
  AskedRun,
  Recipe,
  RunConfig,
  RunSettings,
  SamplingSettings,
  ComparisonConfig,
  Init,
} from './config/schema.js';
export type { SettingsLayer } from './config/layers.js';
export type { ComparisonRequest } from './experiment/comparison-file.js';
export type { RunChange, RunFailure } from './experiment/comparison.js';
export { type DataFacts, type Generator, type Labels, type Model } from './experiment/model.js';
export type { FinishedRun, RunTask } from './experiment/one-run.js';
export type { ResolvedRun } from './experiment/resolve.js';
export { type SampleChoice, type Samples } from './experiment/sample.js';
export {
  compareRuns,
  type BegunComparison,
  type CompareRunsOptions,
  type Comparison,
} from './node/compare-runs.js';
export { exportSampler, type ExportedSampler, type ExportSamplerOptions } from './node/export-sampler.js';
export { judge, type JudgedRow, type Judgement, type JudgeOptions } from './node/judge.js';
export { openModel, saveModel, type OpenOptions } from './node/open-model.js';
export { openRun, type Run, type RunCheckpoint } from './node/open-run.js';
export {
  resumeRun,
  trainRun,
  type BegunRun,
  type NewRunOptions,
  type ResumeChanges,
  type TrainedRun,
  type TrainRunOptions,
} from './node/train-run.js';
export { loadBackend, loadPlugin, registerPlugin, type LoadedPlugin } from './plugins/load.js';
export type { Plugin, PluginFile } from './plugins/plugin.js';
export type { PluginRecord } from './plugins/recorded.js';
export { OpenModel, type ModelSource, type SampleRequest, type Address } from './open-model.js';
export type {
  ComparisonResults,
  DatasetResults,
  MetricColumn,
  MethodPictures,
  MethodResults,
  FailedRun,
  MetricRow,
  MetricValues,
  SamplingResults,
} from './report/results.js';
export type { Scores } from './experiment/evaluation.js';
export type { WarmStart } from './experiment/warm-start.js';
export type { ClassifierWork, JudgingClassifier } from './experiment/classifier.js';
export type { JsonRecord } from './config/merge.js';
