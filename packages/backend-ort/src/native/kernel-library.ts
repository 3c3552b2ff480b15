/**
 * The library of our own kernels, which is made for some platforms (`native/`). It is called by ONNX Runtime alone; here it is found,
 * and tried, so that a system on which it cannot be loaded is known before a graph is written for it.
 */
import { BackendError } from '@meanflow/core';
import { messageOf } from '@meanflow/core/backend';
import type { Koffi } from './koffi.js';

/** What is used of the host. */
interface Host {
  readonly process?: { readonly platform: string; readonly arch: string };
  readonly URL?: new (path: string, base: string) => { readonly href: string; readonly pathname: string };
}

/** Platforms, by Node's names, that there is a library for. */
export const kernelPlatforms: readonly string[] = ['linux-x64'];

/**
 * The library's path.
 *
 * @throws {BackendError} where there is none for this platform, or it cannot be loaded
 */
export function kernelLibrary(koffi: Koffi): string {
  const { process, URL: Address } = globalThis as Host;
  const platform = `${process?.platform}-${process?.arch}`;
  const { url } = import.meta as { readonly url?: string };
  if (!kernelPlatforms.includes(platform) || Address === undefined || url === undefined) {
    throw new BackendError(`there is no library for ${platform}, only for ${kernelPlatforms.join(', ')}`);
  }
  // In two steps: bundlers look for files that are named beside `import.meta.url`.
  const folder = new Address('../../native/prebuilt/', url).href;
  const path = decodeURIComponent(new Address(`${platform}/libmeanflow-kernels.so`, folder).pathname);
  try {
    koffi.load(path);
  } catch (error) {
    throw new BackendError(`the library cannot be loaded: ${messageOf(error)}`, { cause: error });
  }
  return path;
}
