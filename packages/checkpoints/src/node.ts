/** `@meanflow/checkpoints/node`: checkpoints and models in files and folders. */
export { openCheckpoint } from './node/open.js';
export {
  describeModel,
  importCheckpoint,
  isModelFile,
  openDecoder,
  openEncoder,
  openModel,
  type ImportOptions,
  type ImportSummary,
} from './node/import.js';
