/** plainBackend: the Backend contract in plain TypeScript and float32. Nothing to install, nothing fast: an example. */
import type { Backend } from '@meanflow/core';
import { checkCompileOptions, LiveExecutables } from '@meanflow/core/backend';
import { PlainExecutable } from './executable.js';
import type { KernelTable } from './kernels/kernel.js';
import { kernels } from './kernels/table.js';

/**
 * The backend named `plain`.
 *
 * @param table its kernels; replacing one shows what the conformance kit makes of a wrong lowering
 */
export function plainBackend(table: KernelTable = kernels): Backend {
  const executables = new LiveExecutables<PlainExecutable>('plain');
  return {
    name: 'plain',
    describe: () => ({
      backend: 'plain',
      device: 'cpu',
      description: 'plain TypeScript, float32',
      versions: {},
    }),
    async compile(graph, options) {
      const state = checkCompileOptions(graph, options);
      return executables.compile(async () => {
        const executable: PlainExecutable = new PlainExecutable(graph, state, table, () =>
          executables.remove(executable),
        );
        return executable;
      });
    },
    dispose: () => executables.close(),
  };
}
