/** The page's side of the kit in Chromium: it runs the cases on a backend when Node asks it to, and tells of each result. */
import { ArgumentError, type Backend } from '@meanflow/core';
import { didYouMean, ownValue } from '@meanflow/core/validation';
import type { Case } from '../cases/case.js';
import { serveConformance, type RemoteMessage } from '../remote.js';
import { START, TELL, type PageRequest } from './messages.js';
import { countAllocations, withMemory } from './page-memory.js';

export interface PageOptions {
  /** Takes a WebGPU adapter that computes in software. */
  readonly allowSoftware: boolean;
}

/**
 * How the page opens each of its backends, by name. Let each import its libraries when it is opened: memory that they take
 * before `serveInPage` is not seen, and the bundler then makes a file of each, so that a page loads one ONNX Runtime.
 */
export type PageBackends = Readonly<Record<string, (options: PageOptions) => Promise<Backend>>>;

type Page = Record<typeof TELL, (message: RemoteMessage) => Promise<void>> & Record<string, unknown>;
const page = globalThis as unknown as Page;

/**
 * Waits for `conformanceInChromium`; what the page's program calls, once.
 *
 * @param options `cases`: what the other side is given beside the kit's own
 */
export function serveInPage(
  backends: PageBackends,
  { cases: further = [] }: { readonly cases?: readonly Case[] } = {},
): void {
  // Before any library is loaded: one that has begun keeps the functions that it found.
  const allocated = countAllocations();
  const open = async (name: string, options: PageOptions): Promise<Backend> => {
    const found = ownValue(backends, name);
    if (found !== undefined) return withMemory(await found(options), allocated);
    const names = Object.keys(backends);
    throw new ArgumentError(
      `No backend "${name}" runs in this page.${didYouMean(name, names)} There are ${names.join(', ')}.`,
    );
  };
  page[START] = ({ backend, cases, ...options }: PageRequest): Promise<void> =>
    serveConformance(
      () => open(backend, options),
      cases,
      (message) => void page[TELL](message),
      further,
    );
}
