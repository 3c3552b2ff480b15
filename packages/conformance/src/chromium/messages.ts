/** What Node asks of the page, and by which names they find each other; what the page tells is the kit's `RemoteMessage`. */

/** What the page is to do. */
export interface PageRequest {
  readonly backend: string;
  /** The cases to run, by id. */
  readonly cases: readonly string[];
  /** Whether a WebGPU adapter may compute in software. */
  readonly allowSoftware: boolean;
}

/** The function that Node puts into the page for its messages. */
export const TELL = 'meanflowTell';
/** The function that the page has for Node's request. */
export const START = 'meanflowStart';
