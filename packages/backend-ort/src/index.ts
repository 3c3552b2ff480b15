/** `@meanflow/backend-ort`: graphs on ONNX Runtime. */
export { ortBackend } from './backend.js';
export {
  exportOnnx,
  type ExportedModel,
  type ExportedValue,
  type FileContent,
  type ExportOptions,
} from './export.js';
export { toOnnx } from './lower-graph.js';
export type { OrtBackend, OrtBackendOptions, OrtBinding, OrtDevice, OrtExecutable } from './options.js';
