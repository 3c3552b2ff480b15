/** `@meanflow/backend-ort`: graphs on ONNX Runtime. */
export { ortBackend, type OrtBackend, type OrtBackendOptions, type OrtExecutable } from './backend.js';
export type { OrtDevice } from './devices.js';
export {
  exportOnnx,
  type ExportedModel,
  type ExportedValue,
  type FileContent,
  type ExportOptions,
} from './export.js';
export { toOnnx } from './lower-graph.js';
export type { OrtModule, OrtSource } from './runtime.js';
