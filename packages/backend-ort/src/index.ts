/** `@meanflow/backend-ort`: graphs on ONNX Runtime. */
export { ortBackend, type OrtBackend, type OrtBackendOptions } from './backend.js';
export type { Holdings } from './device-array.js';
export type { OrtDevice } from './devices.js';
export type { OrtExecutable, RunCounters } from './executable.js';
export {
  exportOnnx,
  type ExportedModel,
  type ExportedValue,
  type FileContent,
  type ExportOptions,
} from './export.js';
export { toOnnx } from './lower-graph.js';
export type { OrtModule, OrtSource } from './runtime.js';
