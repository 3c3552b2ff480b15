/** What a lost device means for a run: which checkpoint is left of it, and how to go on. */
import { DeviceLostError } from '@meanflow/core';

/**
 * The error with what is left of the run.
 *
 * @param path of the run directory
 * @param checkpoint the latest that was written, or that the run went on from
 * @param command that goes on with the run
 */
export function afterDeviceLoss(
  error: DeviceLostError,
  path: string,
  checkpoint: string | undefined,
  command = `npx meanflow train --resume ${path}`,
): DeviceLostError {
  const { backend, reason } = error;
  const left =
    checkpoint === undefined
      ? 'the run has no checkpoint yet, and is to be begun again'
      : `the last checkpoint is ${checkpoint}; go on from it with \`${command}\``;
  return new DeviceLostError(backend, `${reason}; ${left}`, { cause: error });
}
