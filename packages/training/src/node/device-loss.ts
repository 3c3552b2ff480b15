/** What a lost device means for a run: which checkpoint is left of it, and how to go on. */
import { DeviceLostError } from '@meanflow/core';

/**
 * @param path of the run directory
 * @param checkpoint the latest that was written, or that the run went on from
 */
export function afterDeviceLoss(
  error: DeviceLostError,
  path: string,
  checkpoint: string | undefined,
): DeviceLostError {
  const left =
    checkpoint === undefined
      ? 'The run has no checkpoint yet: begin it again'
      : `The last checkpoint is ${checkpoint}: go on from it with \`meanflow train --resume ${path}\`, or RunDirectory.resume`;
  return new DeviceLostError(error.backend, `${error.message} ${left}, in a new process.`, { cause: error });
}
