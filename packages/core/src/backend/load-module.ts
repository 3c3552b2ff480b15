/** Libraries that a backend is handed by whoever opens it: a module, or how to import it, so that one serves Node and browsers. */
import { BackendError } from '../errors.js';

/** A module, or how to import it: `() => import('a-runtime')`. */
export type ModuleSource = object | (() => Promise<unknown>);

/**
 * Imports a module and returns it, or its default export, whichever `accepts`.
 *
 * @param what the module in words, as errors call it
 * @param help what to install, and what to pass
 * @throws {BackendError} when it cannot be imported or is something else, with `help`
 */
export async function loadModule<T>(
  what: string,
  source: ModuleSource | undefined,
  accepts: (candidate: unknown) => candidate is T,
  help: string,
): Promise<T> {
  let found: unknown = source;
  if (typeof source === 'function') {
    try {
      found = await (source as () => Promise<unknown>)();
    } catch (error) {
      // Node adds the path of the file that imports, which is ours and tells the reader nothing.
      const message = messageOf(error).replace(/ imported from .*/, '');
      throw new BackendError(`${what} could not be imported: ${message}\n${help}`, { cause: error });
    }
  }
  const candidates = [found, (found as { default?: unknown } | null | undefined)?.default];
  const module = candidates.find(accepts);
  if (module === undefined) throw new BackendError(`What was given for ${what} is something else. ${help}`);
  return module;
}

/** What an error says, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
