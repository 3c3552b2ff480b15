/** Packages that only the kit in Chromium needs, and that whoever uses it installs beside it. */
import { BackendError } from '@meanflow/core';

/** @throws {BackendError} when it is not installed, saying so */
export async function peer<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const [first] = (error as Error).message.split('\n');
    throw new BackendError(
      `The kit in Chromium needs the package ${name}, which cannot be loaded: ${first}. Run \`npm install esbuild@0.28.2 playwright-core@1.65.1\`.`,
      { cause: error },
    );
  }
}
