/**
 * `meanflow evaluate --features`: samples judged by a feature extractor of the user's own, as FID is: of a run, of an imported
 * model, or of a file of images, against published statistics or against data.
 */
import { readFile } from 'node:fs/promises';
import { ArgumentError } from '@meanflow/core';
import { describeData, type Dataset } from '@meanflow/data';
import { decodeStatistics, metrics, type FeatureExtractor } from '@meanflow/metrics';
import { openBackend, type Generator, openModel } from '@meanflow/runs/node';
import {
  checkReadable,
  countText,
  drawnPieces,
  type FeatureReference,
  featuresOf,
  heldOutRows,
  type ImageFacts,
  isArrayFile,
  isSampleFile,
  kindOf,
  located,
  openExtractor,
  openJudged,
  openJudgedDataOf,
  openSamples,
  referenceOf,
  type SamplePiece,
  scoreFeatures,
  withFileErrors,
  withPlacesOfRun,
  withGuidance,
} from '@meanflow/runs/command';
import { noticesTo, type Io } from '../terminal/io.js';
import { scoresTable, type ScoreRow } from '../terminal/scores.js';
import { type ConfigOption, keysOf } from '../commands/config-options.js';
import { dataSettings, folderOptions, pictureOptions } from '../commands/data-options.js';
import { firstGiven } from '../commands/option-name.js';
import type { EvaluateFeaturesOptions } from '../commands/evaluate.js';

/** Samples for a first look; the papers take 50,000. */
const SAMPLES = 5000;

/** One set of samples to be judged. */
interface Subject {
  readonly name: string;
  readonly guidance?: number | undefined;
  /** @param classCounts rows of each class in what the samples are compared with */
  readonly pieces: (classCounts: readonly number[] | undefined) => AsyncIterable<SamplePiece>;
}

/** What is judged: its images, what it is called, and the samples of each setting. */
interface Judged {
  /** What whoever reads the scores should know. */
  readonly notes: readonly string[];
  readonly facts: ImageFacts;
  readonly hasLabels: boolean;
  /** Rows of each class in the data that the model learnt from, where it records them. */
  readonly classCounts: readonly number[] | undefined;
  readonly subjects: readonly Subject[];
  /** The run's own data; undefined for what was not trained here. */
  readonly openOwnData?: () => Promise<Dataset>;
  dispose(): Promise<void>;
}

export async function evaluateFeatures(
  path: string,
  options: EvaluateFeaturesOptions,
  io: Io,
): Promise<void> {
  const { statistics, data } = options;
  options.metrics?.forEach((name) => metrics.get(name));
  if (statistics !== undefined && data !== undefined) {
    throw new ArgumentError(
      '--statistics and --data exclude each other: samples are compared with one of them.',
    );
  }
  checkReading(path, options);
  const judged = isSampleFile(path) ? await fileOf(path, options) : await modelOf(path, options, io);
  try {
    const extractor = await openExtractor(options, judged.facts);
    try {
      await score(judged, extractor, options, io);
    } finally {
      await extractor.dispose();
    }
  } finally {
    await judged.dispose();
  }
}

/** @throws {ArgumentError} where an option says how to read what is not read at all */
function checkReading(path: string, options: EvaluateFeaturesOptions): void {
  const kinds = [
    ...(options.data === undefined ? [] : [kindOf(options.data)]),
    ...(isSampleFile(path) ? [isArrayFile(path) ? 'latents' : 'image-folder'] : []),
  ];
  const stray = (reading: readonly ConfigOption[], kind: string): string | undefined =>
    kinds.includes(kind) ? undefined : firstGiven(options, keysOf(reading));
  const ofFolders = stray(folderOptions, 'image-folder');
  if (ofFolders !== undefined) {
    throw new ArgumentError(
      `${ofFolders} says how a folder of images is read, and neither "${path}" nor --data is one.`,
    );
  }
  const ofArrays = stray(pictureOptions, 'latents');
  if (ofArrays !== undefined) {
    throw new ArgumentError(
      `${ofArrays} says how an array of pictures is read, and neither "${path}" nor --data is one.`,
    );
  }
}

async function score(
  { facts, hasLabels, notes, classCounts: own, subjects, openOwnData }: Judged,
  extractor: FeatureExtractor,
  options: EvaluateFeaturesOptions,
  io: Io,
): Promise<void> {
  for (const note of notes) io.err(`${note}\n`);
  const count = options.samples ?? SAMPLES;
  const names = options.metrics ?? ['feature-frechet'];
  const {
    reference,
    title,
    classCounts = own,
  } = await compared(options, facts, openOwnData, extractor, count, io);
  const available = [
    ...featuresOf(extractor).filter((field) => !field.startsWith('reference')),
    ...Object.keys(reference),
    ...(hasLabels ? ['sampleLabels'] : []),
  ];
  checkReadable(names, new Set(available));
  const rows: (ScoreRow & { readonly count: number })[] = [];
  for (const { name, guidance, pieces } of subjects) {
    const {
      scores,
      nfe = NaN,
      count: judgedCount,
    } = await scoreFeatures(
      pieces(options.labels === 'uniform' ? undefined : classCounts),
      extractor,
      reference,
      names,
    );
    rows.push({ name, nfe, guidance, scores, count: judgedCount });
  }
  if (options.json) {
    const results = rows.map(({ nfe, guidance, scores, count: samples }) => ({
      ...(Number.isNaN(nfe) ? {} : { nfe }),
      ...(guidance === undefined ? {} : { guidance }),
      samples,
      metrics: scores,
    }));
    const content = { model: rows[0]!.name, features: options.features, reference: title, results };
    io.out(`${JSON.stringify(content, null, 2)}\n`);
    return;
  }
  io.err(`${countText(rows[0]!.count)} samples, features of ${options.features}, against ${title}\n`);
  io.out(
    scoresTable(
      names.map((name) => metrics.get(name)),
      rows,
    ),
  );
}

/** What samples are compared with, and what it is called. */
async function compared(
  options: EvaluateFeaturesOptions,
  { name, imageShape }: ImageFacts,
  openOwnData: Judged['openOwnData'],
  extractor: FeatureExtractor,
  count: number,
  io: Io,
): Promise<{
  readonly reference: FeatureReference;
  readonly title: string;
  readonly classCounts?: readonly number[] | undefined;
}> {
  const { statistics, data } = options;
  if (statistics !== undefined) {
    const bytes = await withFileErrors(`"${statistics}" cannot be read`, () => readFile(statistics));
    const referenceStatistics = await decodeStatistics(bytes, statistics);
    return { reference: { referenceStatistics }, title: statistics };
  }
  const dataset = data === undefined ? await openOwnData?.() : await openJudged(choiceOf(data, options));
  if (data !== undefined && dataset !== undefined) io.err(`${describeData(dataset)}\n`);
  if (dataset === undefined) {
    throw new ArgumentError(
      `"${name}" was not trained here: give what its samples are compared with, --statistics or --data.`,
    );
  }
  if (dataset.imageShape?.join() !== imageShape?.join()) {
    throw new ArgumentError(
      `Samples are images of ${imageShape?.join(' × ') ?? 'nothing'}, "${dataset.name}" has ${dataset.imageShape?.join(' × ') ?? 'none'}.`,
    );
  }
  const reference = await referenceOf(extractor, dataset, count);
  return { reference, title: dataset.name, classCounts: dataset.classCounts };
}

/** Data to compare with, read as the options say that are for such data: others are for the samples. */
function choiceOf(data: string, options: EvaluateFeaturesOptions): Parameters<typeof openJudged>[0] {
  const kind = kindOf(data);
  const { images, latents } = dataSettings(options);
  if (kind === 'image-folder') return { data, images };
  return kind === 'latents' ? { data, latents } : { data };
}

/** A run, a checkpoint or an imported model. */
async function modelOf(path: string, options: EvaluateFeaturesOptions, io: Io): Promise<Judged> {
  const { seed, samples: count = SAMPLES } = options;
  const { average, vae: decoder } = options;
  const { generator, trained } = await openModel(path, { average, decoder, notify: noticesTo(io) });
  const open =
    trained &&
    (async (layout?: 'nhwc'): Promise<Dataset> =>
      openJudgedDataOf(await located(await withPlacesOfRun(trained.config, path), path), layout));
  const openOwnData = open && (() => open('nhwc'));
  // Conditions lie as the network takes them.
  const isGiven = generator.network.conditions !== undefined;
  const given = isGiven && open ? heldOutRows(await open(), seed, count) : undefined;
  const settings = (options.nfe ?? generator.sampling.nfe).flatMap((nfe) =>
    (options.guidance ?? [undefined]).map((scale) => ({
      nfe,
      guidance: scale,
      model: withGuidance<Generator>(generator, nfe, {
        guidance: scale,
        guidanceInterval: options.guidanceInterval,
      }),
    })),
  );
  const backend = await openBackend(options.backend);
  return {
    facts: generator.data,
    hasLabels: generator.network.classCount !== undefined,
    notes: generator.notes,
    classCounts: generator.data.classCounts,
    ...(openOwnData === undefined ? {} : { openOwnData }),
    subjects: settings.map(({ nfe, guidance, model }) => ({
      name: model.origin,
      guidance,
      pieces: (classCounts) => drawnPieces(model, { backend, seed, count, nfe, classCounts, given }),
    })),
    dispose: () => backend.dispose(),
  };
}

/** A file or a folder of images. */
async function fileOf(path: string, options: EvaluateFeaturesOptions): Promise<Judged> {
  const forModels = ['nfe', 'guidance', 'guidanceInterval', 'samples', 'labels', 'vae', 'average'];
  const stray = firstGiven(options, forModels);
  if (stray !== undefined) {
    throw new ArgumentError(`${stray} is for models, and ${path} holds samples that were drawn already.`);
  }
  const { images, latents } = dataSettings(options);
  const { facts, notes, pieces } = await openSamples(path, { images, latents });
  return {
    facts,
    hasLabels: false,
    notes,
    classCounts: undefined,
    subjects: [{ name: path, pieces }],
    dispose: async () => {},
  };
}
