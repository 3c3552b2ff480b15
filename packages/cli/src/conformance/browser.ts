/** The package that runs backends in a browser, which not every installation has. */
import type * as browser from '@meanflow/browser';
import { BackendError } from '@meanflow/core';

/** @throws {BackendError} when it is not installed, saying so */
export async function loadBrowser(): Promise<typeof browser> {
  try {
    return await import('@meanflow/browser');
  } catch (error) {
    throw new BackendError(
      `The package @meanflow/browser cannot be loaded: ${(error as Error).message}. Run \`npm install @meanflow/browser\`.`,
      { cause: error },
    );
  }
}
