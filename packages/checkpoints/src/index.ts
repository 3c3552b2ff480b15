/** `@meanflow/checkpoints`: what others publish, read without Python, and models of our own; for any platform. */
export { openCheckpointFile, openCheckpointFolder } from './open.js';
export type { WeightDType } from './import/convert.js';
export { passedOverText } from './import/passed-over.js';
export { planImport, type ImportChoice, type ImportPlan, type PlannedParameter } from './import/plan.js';
export {
  importTarget,
  importTargetNames,
  type ImportModel,
  type ImportTarget,
  type ModelDescription,
  type Naming,
} from './import/target.js';
export { importedModel, type ImportProgress } from './import/weights-file.js';
export { MODEL_FORMAT, type ModelFacts } from './model/header.js';
export {
  readDecoder,
  readEncoder,
  readModel,
  readModelFile,
  type AutoencoderHalf,
  type Model,
  type ModelFile,
} from './model/read.js';
