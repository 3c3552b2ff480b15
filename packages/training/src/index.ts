/** `@meanflow/training`: optimizers, schedules, averages, the trainer and its loop, checkpoints; for any platform. */
export {
  applyUpdates,
  chain,
  type GradientTransform,
  type UpdateContext,
  type Updated,
} from './gradient-transform.js';
export { adam, adamW, type AdamOptions, type AdamWOptions } from './adam.js';
export { muon, type MuonOptions } from './muon.js';
export { partition } from './partition.js';
export { muonWithAdam, recipeEma, recipeOptimizer, type MuonWithAdamOptions } from './published-recipe.js';
export { sgd, type SgdOptions } from './sgd.js';
export { clipByGlobalNorm, globalNorm } from './clipping.js';
export * from './schedules.js';
export {
  ema,
  emaKey,
  initialShare,
  type Ema,
  type EmaOptions,
  type EmaState,
  type HalfLives,
} from './ema.js';
export * from './errors.js';
export { divergenceText, type BatchPart, type DivergenceReport, type Suspicion } from './divergence.js';
export { type Growth } from './error-watch.js';
export { nonFiniteLeaves, worstLeaf, type NonFiniteLeaf } from './finite.js';
export type { ParameterSource } from './train-step.js';
export { Trainer, type CallOptions } from './trainer.js';
export {
  trainingKeys,
  type BatchSource,
  type BeginPhase,
  type BeginProgress,
  type TrainerOptions,
} from './trainer-options.js';
export type { StateTypes, TrainState } from './train-state.js';
export type { StepPhase, StepResult } from './step-program.js';
export { averageGradients, StepGradients, type HostGradients } from './step-gradients.js';
export { train } from './loop.js';
export {
  type DivergenceAction,
  type DivergencePolicy,
  type MetricsRecord,
  type Progress,
  type StopSignal,
  type TrainOptions,
  type TrainSummary,
} from './train-options.js';
export {
  checkpointChunks,
  checkpointParts,
  checkpointParameters,
  checkpointState,
  decodeCheckpoint,
  readCheckpoint,
  verifyCheckpoint,
  type Checkpoint,
  type CheckpointFacts,
} from './checkpoint.js';
export type { DataNeeds } from './step-data.js';
