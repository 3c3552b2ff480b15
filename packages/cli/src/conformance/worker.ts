/** A process that runs the kit on a backend, as its parent asks. It ends when its parent lets go of it. */
import { serveConformance } from '@meanflow/conformance';
import { modelCases } from '@meanflow/parity';
import { loadAlike, type PluginRequest } from '@meanflow/runs/command';
import { openBackend } from '@meanflow/runs/node';

/** What the parent asks for, once. */
export interface WorkerRequest {
  readonly backend: string;
  /** What was loaded over there, to be loaded before it is opened. */
  readonly plugins: readonly PluginRequest[];
  /** The cases to run, by id. */
  readonly cases: readonly string[];
}

process.on('disconnect', () => process.exit());
process.on('message', ({ backend, plugins, cases }: WorkerRequest) => {
  void serveConformance(
    async () => {
      await loadAlike(plugins);
      return openBackend(backend);
    },
    cases,
    (message) => process.send?.(message),
    modelCases(),
  );
});
