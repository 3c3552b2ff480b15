/** `@meanflow/training/node`: run directories, checkpoint files and training in them. */
export { writeFileAtomically, type FileContent } from './node/atomic-file.js';
export {
  finalCheckpointPath,
  latestCheckpoint,
  loadCheckpoint,
  runCheckpoints,
  type DamagedCheckpoint,
  type DamagePolicy,
  type LatestCheckpoint,
  type LoadCheckpointOptions,
} from './node/checkpoint-files.js';
export { checkWithin, foreignEntry, makeDirectory } from './node/directories.js';
export { divergencesPath } from './node/divergences.js';
export { acquireLock, type Lock } from './node/lock.js';
export type { FileLocks } from './node/file-locks.js';
export { checkFree, readRunConfig, readRunMetrics, RunDirectory } from './node/run-directory.js';
export {
  trainInDirectory,
  type ResumePoint,
  type RunSummary,
  type TrainInDirectoryOptions,
} from './node/train-in-directory.js';
