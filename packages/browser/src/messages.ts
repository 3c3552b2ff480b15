/** What Node asks of the page, and by which names they find each other; what the page tells is the kit's `RemoteMessage`. */
import type { PageBackendName, PageBackendOptions } from './page/backends.js';

/** What the page is to do. */
export interface PageRequest extends PageBackendOptions {
  readonly backend: PageBackendName;
  /** The cases to run, by id. */
  readonly cases: readonly string[];
}

/** The function that Node puts into the page for its messages. */
export const TELL = 'meanflowTell';
/** The function that the page has for Node's request. */
export const START = 'meanflowStart';
