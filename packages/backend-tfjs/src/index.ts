/** `@meanflow/backend-tfjs`: graphs on TensorFlow.js. */
export { tfjsBackend } from './backend.js';
export type {
  DeviceMemory,
  FusionOptions,
  KernelProgram,
  TfjsBackend,
  TfjsBackendOptions,
  TfjsDevice,
} from './options.js';
export { webgpuCost, type WebgpuCost, type WebgpuCostOptions } from './webgpu/cost.js';
