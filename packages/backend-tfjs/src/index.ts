/** `@meanflow/backend-tfjs`: graphs on TensorFlow.js. */
export { tfjsBackend, type TfjsBackend, type TfjsBackendOptions } from './backend.js';
export type { DeviceMemory, TfjsDevice } from './devices.js';
export type { RunCounters, TfjsExecutable } from './executable.js';
export type { ModuleSource } from './runtime.js';
export type { FusionOptions } from './webgpu/fusion.js';
export { inspectWebgpu, type AdapterReport } from './webgpu/open.js';
