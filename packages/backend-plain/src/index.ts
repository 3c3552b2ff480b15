/** `@meanflow/backend-plain`: an example backend to copy from; see docs/writing-a-backend.md. */
export { plainBackend } from './backend.js';
export { kernels } from './kernels/table.js';
export type { Kernel, KernelTable, Run } from './kernels/kernel.js';
