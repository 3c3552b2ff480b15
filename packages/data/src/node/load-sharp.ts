/**
 * `sharp`, which brings libvips (19 MB) and decodes images. It is installed by who reads image files; the `meanflow` command
 * brings it. No declaration of this package names its types, for it may be missing.
 */
import { DataError } from '@meanflow/core';
import type { default as SharpModule } from 'sharp';

export type Sharp = typeof SharpModule;

/** The version that is advised, and tested. */
const SHARP_VERSION = '0.35.5';

let loaded: Promise<Sharp> | undefined;

/** The decoder, the same each time. @throws {DataError} when it, or its binary, is not here */
export function loadSharp(): Promise<Sharp> {
  loaded ??= import('sharp').then(
    (module) => {
      // It would answer for a file that has changed, and no image is decoded twice in a row.
      module.default.cache(false);
      return module.default;
    },
    (error: unknown) => {
      throw new DataError(sharpMissing(error), { cause: error });
    },
  );
  return loaded;
}

/** What to do about an error of the import. */
export function sharpMissing(error: unknown): string {
  return /Cannot find (package|module) 'sharp'/.test(String(error))
    ? `Image files are decoded by sharp, which is not installed: \`npm install sharp@${SHARP_VERSION}\`.`
    : `Image files are decoded by sharp, which cannot be loaded on ${process.platform}-${process.arch}: its binary is a package of ` +
        'its own that npm leaves out with --omit=optional. Run `npm install --include=optional sharp` where meanflow is installed.';
}
