/** The passes of `prepare`, by name, in the order in which they run. */
import { fuse } from './fuse.js';
import { inline } from './inline.js';
import { openShared } from './open-shared.js';
import type { Pass } from './pass.js';
import { shareRows } from './share-rows.js';

export const passes = { shareRows, inline, openShared, fuse } as const satisfies Readonly<
  Record<string, Pass>
>;

/** The name of a pass of `prepare`. */
export type PassName = keyof typeof passes;

/** A pass that may be left out: without `inline` there is nothing that a backend could lower. */
export type OptionalPass = Exclude<PassName, 'inline'>;
