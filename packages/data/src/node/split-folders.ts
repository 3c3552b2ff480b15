/**
 * Folders such as `train` and `valid` that hold the images to learn from and to judge by, and are no classes. Which is told
 * from their names, said, and can be asked for; where the names could mean either, it has to be.
 */
import { DataError } from '@meanflow/core';
import { didYouMean, leading } from '@meanflow/core/validation';
import { type FolderScan } from './scan-folder.js';

/** `none`: all folders are classes; or the folder to learn from and, where there is one, the folder to judge by. */
export type SplitFolders = 'none' | readonly [train: string] | readonly [train: string, test: string];

/** Which folders of a folder are meant; undefined where there are no splits. */
export interface FoundSplits {
  readonly train: string | undefined;
  readonly test: string | undefined;
  readonly notes: readonly string[];
}

const learning = ['train', 'training'];
/** The first of these that is there is judged by. */
const judging = [
  'test',
  'testing',
  'val',
  'valid',
  'validation',
  'dev',
  'holdout',
  'heldout',
  'eval',
  'evaluation',
];

const OPTION =
  'splits; on the command line --split-folders none, or --split-folders train,valid by their names';

/**
 * The splits of a folder.
 *
 * @param asked undefined: told from the names
 * @throws {DataError} when a folder that was asked for is not there, or the names could mean splits or classes
 */
export function findSplits(
  folder: string,
  scan: FolderScan,
  asked: SplitFolders | undefined,
  classes: 'required' | 'optional',
): FoundSplits {
  const none = { train: undefined, test: undefined, notes: [] };
  if (asked === 'none') return none;
  const tops = foldersWithImages(scan);
  if (asked !== undefined) {
    const missing = asked.find((name) => !tops.includes(name));
    if (missing === undefined) return { train: asked[0], test: asked[1], notes: [] };
    throw new DataError(
      `${folder}: there is no folder "${missing}" with images in it.${didYouMean(missing, tops)} It has ${tops.join(', ') || 'none'}.`,
    );
  }
  const trains = tops.filter((name) => learning.includes(plainName(name)));
  const tests = judging.flatMap((wanted) => tops.filter((name) => plainName(name) === wanted));
  const others = tops.filter((name) => !trains.includes(name) && !tests.includes(name));
  if (trains.length !== 1 || (tests.length === 0 && others.length > 0)) return none;
  const [train] = leading(trains, 1);
  if (others.length > 0) {
    throw new DataError(
      `${folder}: the folders ${[train, ...tests].join(', ')} are called as images to learn from and to judge by are, ` +
        `${others.join(', ')} as classes: say which it is (${OPTION}).`,
    );
  }
  const isFlat = (name: string): boolean => classFoldersOf(scan, name).length < 2;
  if (isFlat(train) && classes === 'required' && tests.length > 0) {
    throw new DataError(
      `${folder}: the folders ${[train, ...tests].join(', ')} are called as images to learn from and to judge by are, and hold no ` +
        `folder for each class: if they are the classes, say so (${OPTION}); images without classes are learnt with --unconditional.`,
    );
  }
  const fitting = tests.filter((name) => isFlat(train) || !isFlat(name));
  const [test] = fitting;
  const left = tests.filter((name) => name !== test);
  return {
    train,
    test,
    notes: [
      `learns from the folder "${train}"${test === undefined ? '' : `, is judged by "${test}"`} (--split-folders)`,
      ...(left.length === 0
        ? []
        : [`the folder ${left.map((name) => `"${name}"`).join(', ')} is left alone`]),
    ],
  };
}

/** The folders in a folder, or in one within it, that have images somewhere. */
export function foldersWithImages({ images }: FolderScan, within = ''): readonly string[] {
  const start = within === '' ? '' : `${within}/`;
  const names = new Set<string>();
  for (const image of images) {
    const end = image.startsWith(start) ? image.indexOf('/', start.length) : -1;
    if (end >= 0) names.add(image.slice(start.length, end));
  }
  return [...names];
}

const classFoldersOf = foldersWithImages;

/** `Train_images`, `train2017` as `train`. */
function plainName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[-_ ]?(set|data|images?|split|\d{4})$/, '')
    .replaceAll(/[-_ ]/g, '');
}
