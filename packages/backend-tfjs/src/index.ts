/** `@meanflow/backend-tfjs`: graphs on TensorFlow.js. */
export { tfjsBackend, type TfjsBackend, type TfjsBackendOptions } from './backend.js';
export type { DeviceMemory, TfjsDevice } from './devices.js';
export type { ScheduleProgram } from './schedule-program.js';
export type { FusionOptions } from './webgpu/fusion.js';
