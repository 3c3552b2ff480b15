/** plainBackend: the Backend contract in plain TypeScript and float32. Nothing to install, nothing fast: an example. */
import type { Backend } from '@meanflow/core';
import { backendOn, type Device } from '@meanflow/core/backend';
import type { KernelTable } from './kernels/kernel.js';
import { kernels } from './kernels/table.js';
import { programOf } from './program.js';
import type { Data } from './values.js';

/**
 * The backend named `plain`.
 *
 * @param table its kernels; replacing one shows what the conformance kit makes of a wrong lowering
 */
export function plainBackend(table: KernelTable = kernels): Backend {
  const device: Device<Data> = {
    info: { backend: 'plain', device: 'cpu', description: 'plain TypeScript, float32', versions: {} },
    float16: true,
    compile: (graph) => programOf(graph, table),
    read: (data) => data.slice(),
  };
  return backendOn(device);
}
