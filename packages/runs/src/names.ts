/**
 * `@meanflow/runs/names`: the names and limits that options and help speak of. Nothing is loaded for them, so that a command line can
 * explain itself at once.
 */

/** What computes where nothing else is named. */
export const DEFAULT_BACKEND = 'ort:cpu';

/** The data sets that a comparison takes when none is named. */
export const defaultDatasets: readonly string[] = ['8-gaussians', 'checkerboard', 'digits'];

/** Whether a backend is named by the path of its module: it begins with "." or "/", or ends as a module's does. */
export function isModulePath(name: string): boolean {
  return /^[./\\]|^[a-z]:[\\/]|\.[cm]?[jt]s$/i.test(name);
}

/** Of the network for each sample; nobody has made a thousand. */
export const MOST_EVALUATIONS = 100_000;

/** Height and width of an image, in pixels. */
export const LARGEST_IMAGE = 16_384;
