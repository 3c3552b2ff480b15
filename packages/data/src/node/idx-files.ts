/**
 * IDX files on disk, as MNIST, Fashion-MNIST, KMNIST and EMNIST come: which files of a folder belong together, plain or compressed, and
 * the dataset that they hold. Classes are called by their numbers, or by `classes.txt` beside the files, one name in a line.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DataError } from '@meanflow/core';
import { printable } from '@meanflow/core/validation';
import { type Dataset } from '../dataset.js';
import { countClasses } from '../class-labels.js';
import { idxImages } from '../images/idx.js';
import { imageDataset, type ImageOptions } from '../images/image-dataset.js';
import { type ImageRows } from '../images/image-rows.js';
import { linesOf, readNamed } from './read-file.js';

export interface IdxConfig extends ImageOptions {
  readonly kind: 'idx';
  /** The file with the images, and with the labels if there are any; plain or compressed. */
  readonly images: string;
  readonly labels?: string;
  /** Test images; default: some are held out. */
  readonly testImages?: string;
  readonly testLabels?: string;
  /** A file that names each class in a line of its own, in order; numbers by default. */
  readonly classNames?: string;
  /** What the dataset is called; the file with the images by default. */
  readonly name?: string;
  /** What was taken for granted in choosing the files. */
  readonly notes?: readonly string[];
}

const IMAGES_FILE = /^(.*?)(-?)images([-.]idx\d[-.]ubyte)(\.gz)?$/;
const CLASSES_FILE = 'classes.txt';
/** What a file of test images is called where that to learn from is called train. */
const TEST_NAMES = ['t10k', 'test'];

/** Whether a file is one of IDX images by its name. */
export const isIdxImages = (path: string): boolean => IMAGES_FILE.test(basename(path));

/**
 * The files of a folder, by their names: those to learn from, or the only ones; undefined where there are none, and where
 * folders for classes lie beside them.
 *
 * @throws {DataError} when it holds several sets, of which one has to be chosen
 */
export function idxFilesIn(folder: string): IdxConfig | undefined {
  const entries = readdirSync(folder, { withFileTypes: true });
  const all = entries.map(({ name }) => name).filter((name) => IMAGES_FILE.test(name));
  // The same file, unpacked and not.
  const sets = all.filter((name) => !(name.endsWith('.gz') && all.includes(name.slice(0, -3)))).sort();
  const toLearn = sets.filter((name) => name.includes('train'));
  const chosen = toLearn.length > 0 ? toLearn : sets;
  const [only, another] = chosen;
  const isPlainSet = only?.startsWith('train-images-idx3-ubyte') === true;
  if (only === undefined || (!isPlainSet && entries.some((entry) => entry.isDirectory()))) return undefined;
  if (another !== undefined) {
    throw new DataError(
      `${folder}: it holds ${chosen.length} sets of images, ${chosen.map((name) => printable(name)).join(', ')}: give the path of the ` +
        'file of images that is meant.',
    );
  }
  return { ...idxFilesOf(join(folder, only)), name: basename(resolve(folder)) || folder };
}

/** A file of images with the files that belong to it: labels, test images where it holds those for training, names of classes. */
export function idxFilesOf(images: string): IdxConfig {
  const labels = partnerOf(images, labelsName);
  const notes: string[] = [];
  if (labels === undefined) notes.push(`no classes: ${labelsName(basename(images))} is not beside it`);
  const testImages = TEST_NAMES.map((name) => partnerOf(images, (file) => file.replace('train', name))).find(
    (file) => file !== undefined,
  );
  const testLabels = testImages && partnerOf(testImages, labelsName);
  const areAlike = testImages !== undefined && (testLabels === undefined) === (labels === undefined);
  if (testImages !== undefined) {
    const wanted = testLabels === undefined ? testImages : images;
    notes.push(
      areAlike
        ? `judged by ${basename(testImages)}`
        : `${basename(testImages)} is left alone: ${labelsName(basename(wanted))} is not there`,
    );
  }
  const classNames = join(dirname(images), CLASSES_FILE);
  return {
    kind: 'idx',
    images,
    ...(labels && { labels }),
    ...(areAlike && { testImages, ...(testLabels && { testLabels }) }),
    ...(labels && existsSync(classNames) && { classNames }),
    notes,
  };
}

const labelsName = (file: string): string => file.replace(/images([-.])idx\d/, 'labels$1idx1');

/** The file beside another one that is called so, compressed as that one is or not. */
function partnerOf(path: string, nameOf: (name: string) => string): string | undefined {
  const own = basename(path);
  const name = nameOf(own);
  const other = name.endsWith('.gz') ? name.slice(0, -3) : `${name}.gz`;
  return name === own
    ? undefined
    : [name, other].map((file) => join(dirname(path), file)).find((file) => existsSync(file));
}

/**
 * The dataset of IDX files.
 *
 * @throws {DataError} naming the file that is missing, damaged, or does not fit the others
 */
export async function openIdx(config: IdxConfig): Promise<Dataset> {
  const { images, labels, testImages, testLabels, classNames: namesFile, notes = [] } = config;
  const names = namesFile === undefined ? undefined : await readNames(namesFile);
  const train = await rowsOf(images, labels, names);
  const classes = train.classNames;
  const test =
    testImages === undefined ? undefined : await rowsOf(testImages, testLabels, names ?? classes?.length);
  const unseen = classes && countClasses(train.labels ?? [], classes.length).filter((rows) => rows === 0);
  return imageDataset(train, test, {
    ...config,
    name: config.name ?? basename(images),
    notes: [
      ...notes,
      ...(namesFile === undefined ? [] : [`classes named by ${basename(namesFile)}`]),
      ...(unseen?.length ? [`${unseen.length} of ${classes!.length} classes have no row to learn from`] : []),
    ],
  });
}

async function rowsOf(
  images: string,
  labels: string | undefined,
  classes: number | readonly string[] | undefined,
): Promise<ImageRows> {
  const [imageFile, labelFile] = await Promise.all([
    readNamed(images, 'a file of images'),
    labels === undefined ? undefined : readNamed(labels, 'a file of labels'),
  ]);
  return idxImages(imageFile, labelFile, classes);
}

/** @throws {DataError} when two classes have one name, by which they could not be told apart */
async function readNames(path: string): Promise<readonly string[]> {
  const names = linesOf(await readNamed(path, 'a name of a class in each line'));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined && names.length >= 2) return names;
  const found = twice === undefined ? `${names.length} names` : `"${printable(twice)}" twice`;
  throw new DataError(
    `${path}: found ${found}, expected a name of its own for each class, one in a line, in the order of the labels' numbers.`,
  );
}
