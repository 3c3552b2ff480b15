/**
 * Opening what a run is trained on: a data set by its name, a CSV file, or images and latents by path, in the layout that the
 * network wants. What changes nothing for such data is an error and not ignored.
 */
import { openCheckpoint } from '@meanflow/checkpoints/node';
import { ArgumentError, sizeOf } from '@meanflow/core';
import { datasets, withTask, type Dataset, type ImageLayout } from '@meanflow/data';
import { detectImages, openDataset, openImages, type ImageDataConfig } from '@meanflow/data/node';
import type { ImageSettings, LatentSettings } from '../config/data-schema.js';
import { isRecord, type JsonRecord } from '../config/merge.js';
import type { RunConfig } from '../config/schema.js';

/** What of a run's configuration decides its data. */
export interface DataChoice extends Pick<
  RunConfig,
  'data' | 'label' | 'table' | 'heldOut' | 'splitSeed' | 'images' | 'latents' | 'task'
> {
  readonly layout: ImageLayout;
  /** How latents of which nothing tells it are taken to lie, for networks to which it is nothing; an error by default. */
  readonly latentsIfUnclear?: ImageLayout;
  /** Whether a folder of images must have classes. */
  readonly conditional: boolean;
}

/** What a path or a name stands for. */
export type DataKind = 'named' | 'table' | ImageDataConfig['kind'];

/** @throws {DataError} when a folder cannot be read */
export function kindOf(data: string): DataKind {
  if (datasets.find(data) !== undefined) return 'named';
  return detectImages(data)?.kind ?? 'table';
}

/** The settings of images that each kind looks at. */
const augmentation = ['flip', 'cropPadding'] as const;
const settingsOf: Readonly<Partial<Record<DataKind, readonly (keyof ImageSettings)[]>>> = {
  'image-folder': [
    'size',
    'channels',
    ...augmentation,
    'cacheBytes',
    'splits',
    'followLinks',
    'skipDamaged',
    'maxImageBytes',
  ],
  idx: augmentation,
  latents: augmentation,
  'cifar-10': augmentation,
  'cifar-100': ['labels', ...augmentation],
};

/** The settings of `images` and `latents` that apply to such data, of a recipe that does not know what it is used on. */
export function applicableSettings(kind: DataKind, { images, latents }: JsonRecord): JsonRecord {
  if (kind === 'latents') return { latents };
  const known: readonly string[] = settingsOf[kind] ?? [];
  if (known.length === 0 || !isRecord(images)) return {};
  return { images: Object.fromEntries(Object.entries(images).filter(([name]) => known.includes(name))) };
}

/**
 * The data set.
 *
 * @throws {ArgumentError} when there is none of that name, or a setting does not apply to such data
 * @throws {DataError} when its file or folder is missing, damaged, or not what it should be
 */
export async function openData(choice: DataChoice): Promise<Dataset> {
  const { task } = choice;
  const dataset = await openWhole(choice);
  return task === undefined || task.kind === 'beside' ? dataset : withTask(dataset, task);
}

async function openWhole(choice: DataChoice): Promise<Dataset> {
  const { data, label, table, heldOut, splitSeed: seed, images, latents, layout, conditional, task } = choice;
  const { latentsIfUnclear: fromIfUnclear } = choice;
  const kind = kindOf(data);
  checkSettings(kind, choice);
  const found = kind === 'named' || kind === 'table' ? undefined : detectImages(data);
  const beside = task?.kind === 'beside' ? task.images : undefined;
  if (beside !== undefined && kind !== 'image-folder' && kind !== 'latents') {
    throw new ArgumentError(
      `Images are given beside those of a folder or of an array (--condition), and "${data}" is neither.`,
    );
  }
  if (found === undefined) {
    return openDataset(data, { ...table, heldOut, seed, layout, ...(label === undefined ? {} : { label }) });
  }
  const classes = conditional ? 'required' : 'optional';
  return openImages({
    heldOut,
    seed,
    ...images,
    ...latents,
    layout,
    ...found,
    ...(beside && { beside }),
    ...(kind === 'image-folder' ? { classes } : {}),
    ...(kind === 'latents' ? { openTensors: openCheckpoint, ...(fromIfUnclear && { fromIfUnclear }) } : {}),
  } as ImageDataConfig);
}

function checkSettings(kind: DataKind, { data, label, table, images, latents }: DataChoice): void {
  const known = settingsOf[kind] ?? [];
  const wrong = Object.keys(images ?? {}).find((name) => !known.includes(name as keyof ImageSettings));
  if (wrong !== undefined) {
    const takes = known.length === 0 ? 'no settings of images apply' : `only ${known.join(', ')} apply`;
    throw new ArgumentError(`images.${wrong} does not apply to the data "${data}": ${takes}.`);
  }
  if (latents !== undefined && kind !== 'latents') {
    throw new ArgumentError(
      `latents: the data "${data}" is no file of latents (.npz, .npy, .safetensors or .pt).`,
    );
  }
  const [setting] = Object.keys(table ?? {});
  if (setting !== undefined && kind !== 'table') {
    throw new ArgumentError(`table.${setting} says how a CSV file is read, and the data "${data}" is none.`);
  }
  if (label !== undefined && kind !== 'table') {
    throw new ArgumentError(
      `label: "${label}" would be the column of a CSV file that holds the class, and "${data}" is none.`,
    );
  }
}

/** Data to be judged by themselves, without a run that says more of them. */
export interface JudgedChoice {
  readonly data: string;
  readonly images?: ImageSettings | undefined;
  readonly latents?: LatentSettings | undefined;
  readonly heldOut?: number;
  readonly splitSeed?: number;
}

/** The data set with channels last; throws as `openData`. */
export function openJudged(
  { data, images, latents, heldOut = 0.2, splitSeed = 0 }: JudgedChoice,
  { needsClasses = false }: { readonly needsClasses?: boolean } = {},
): Promise<Dataset> {
  return openData({ data, heldOut, splitSeed, images, latents, layout: 'nhwc', conditional: needsClasses });
}

/** Opens each choice once, for commands that make several runs on the same data. */
export function rememberingOpener(): typeof openData {
  const opened = new Map<string, Promise<Dataset>>();
  return (choice) => {
    const key = JSON.stringify(choice);
    const known = opened.get(key) ?? openData(choice);
    opened.set(key, known);
    return known;
  };
}

/** Samples of a data set that take about this many bytes as float32, at least `least`. */
export function rowsWithin(
  bytes: number,
  { featureShape }: Pick<Dataset, 'featureShape'>,
  least: number,
): number {
  return Math.max(least, Math.floor(bytes / (4 * sizeOf(featureShape))));
}
