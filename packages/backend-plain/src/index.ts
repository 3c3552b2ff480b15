/** `@meanflow/backend-plain`: an example backend to copy from; see docs/writing-a-backend.md. */
import type { Backend } from '@meanflow/core';
import { plainBackend } from './backend.js';

export { plainBackend } from './backend.js';
export { kernels } from './kernels/table.js';
export type { Kernel, KernelTable, Run } from './kernels/kernel.js';
export type { Data } from './values.js';

/** What `--backend` opens, given the path of this module. */
export default (): Backend => plainBackend();
