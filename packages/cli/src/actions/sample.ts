/** `meanflow sample`: samples of a trained model in the units of its data, as numbers or as a picture. */
import { ArgumentError, HostArray, printable, RandomKey } from '@meanflow/core';
import { delimiterOf, proportionalLabels } from '@meanflow/data';
import { createSampler, createDecoder } from '@meanflow/samplers';
import {
  checkFolderOutput,
  checkFormat,
  checkOverwrite,
  checkSampleMemory,
  classByClass,
  className,
  countText,
  DEFAULT_BACKEND,
  drawSamples,
  findBackend,
  formatSamples,
  type Generator,
  isFolderOutput,
  type Labels,
  loadGenerator,
  makeOutputFolder,
  roundLabels,
  writeOutput,
  writePngFolder,
  classOf,
  defaultEvaluations,
  withGuidance,
  solverNamed,
} from '@meanflow/runs/node';
import { noticesTo, type Io } from '../terminal/io.js';
import type { SampleOptions } from '../commands/sample.js';

/** Classes that a grid shows all of. */
const MOST_ROWS = 100;

export async function sample(run: string, options: SampleOptions, io: Io): Promise<void> {
  const loaded = await loadGenerator(run, { ...options, notify: noticesTo(io) });
  const solver = solverNamed(options.solver);
  const out = options.out ?? (loaded.data.imageShape === undefined ? 'samples.csv' : 'samples.png');
  const isFolder = isFolderOutput(out);
  if (isFolder) {
    checkFolderOutput(loaded.data);
    await makeOutputFolder(out);
  } else {
    checkFormat(out, loaded.data);
    if (out !== '-') await checkOverwrite([out], { confirm: io.confirm, force: options.force });
  }
  const delimiter = options.delimiter === undefined ? undefined : delimiterOf(options.delimiter);
  if (options.count !== undefined) checkSampleMemory(options.count, loaded.data.featureShape, '--count');
  const labels = labelsFor(loaded, options);
  const isAdaptive = (solver ?? loaded.sampling.solver) === 'dormand-prince';
  const nfe = options.nfe ?? (isAdaptive ? undefined : defaultEvaluations(loaded));
  const model = withGuidance(loaded, nfe, options);
  const backend = await findBackend(options.backend ?? DEFAULT_BACKEND).open();
  try {
    const batchSize = options.batch ?? model.atOnce;
    const sampler = createSampler(backend, model.network, batchSize === undefined ? {} : { batchSize });
    const key = RandomKey.fromSeed(options.seed).fold('sample');
    const count = labels?.size ?? defaultCount(model, options);
    const drawn = await drawSamples(sampler, model, { count, key, labels, nfe, ...(solver && { solver }) });
    await sampler.dispose();
    const { decoder } = model;
    await using decoding =
      decoder && createDecoder(backend, decoder, { batchSize: decoder.rows, borrow: true });
    const samples = (await decoding?.decode(drawn.samples)) ?? drawn.samples;
    const columns = typeof options.grid === 'object' ? options.grid.columns : undefined;
    if (isFolder) {
      const { solver: own, guidance } = model.sampling;
      const facts = { model: run, seed: options.seed, nfe: drawn.nfe, solver: solver ?? own, guidance };
      await writePngFolder(out, samples, labels, model.data, facts);
    } else {
      const content = formatSamples(out, samples, labels, model.data, columns, delimiter);
      if (out === '-') io.out(String(content));
      else await writeOutput(out, content);
    }
    const where = out === '-' ? '' : `: ${out}`;
    for (const note of model.notes) io.err(`${note}\n`);
    const turns = turnsNote(model, options);
    if (turns !== undefined) io.err(`${turns}\n`);
    io.err(`${countText(count)} samples at ${Number(drawn.nfe.toFixed(1))} NFE, ${model.origin}${where}\n`);
  } finally {
    await backend.dispose();
  }
}

/** Classes whose frequencies differ by more than this are unequal. */
const ALIKE = 1.5;

/** That classes took turns, where the data has them otherwise and nothing was asked for. */
function turnsNote({ network, data }: Generator, options: SampleOptions): string | undefined {
  const { classCounts, classNames } = data;
  const isAsked = [options.labels, options.class, options.grid].some((option) => option !== undefined);
  if (network.classCount === undefined || classCounts === undefined || isAsked) return undefined;
  const [most, least] = [Math.max(...classCounts), Math.min(...classCounts)];
  if (most <= ALIKE * least) return undefined;
  const nameOf = (rows: number): string => printable(className(classCounts.indexOf(rows), classNames));
  return (
    `Classes take turns. The data has ${countText(most)} rows of ${nameOf(most)} and ${countText(least)} of ${nameOf(least)}: ` +
    '--labels data draws them so.'
  );
}

function defaultCount({ data, atOnce }: Generator, { count, grid }: SampleOptions): number {
  if (typeof grid === 'object') return grid.rows * grid.columns;
  return count ?? atOnce ?? (data.imageShape === undefined ? 1000 : 100);
}

function labelsFor(model: Generator, options: SampleOptions): Labels {
  const { classCount } = model.network;
  const { class: chosen, grid, count, labels: how = 'uniform' } = options;
  if (grid !== undefined && count !== undefined) {
    throw new ArgumentError('--count and --grid exclude each other: a grid has as many as its size says.');
  }
  if (grid === true && chosen !== undefined) {
    throw new ArgumentError(
      '--grid without a size shows every class: with --class, give a size such as 8x8.',
    );
  }
  if (typeof grid === 'object' && model.data.imageShape === undefined) {
    throw new ArgumentError(`A grid is one of images, and ${model.data.name} has none.`);
  }
  if (classCount === undefined) {
    if (chosen !== undefined || grid === true || options.labels !== undefined) {
      throw new ArgumentError(
        `The model knows no classes: it was trained on ${model.data.name} without them.`,
      );
    }
    return undefined;
  }
  if (grid === true) {
    if (classCount > MOST_ROWS) {
      throw new ArgumentError(
        `--grid without a size shows every class, and the model has ${countText(classCount)}: give a size such as 4x4.`,
      );
    }
    return classByClass(model, 10);
  }
  const total = defaultCount(model, options);
  const classes = chosen?.map((name) => classOf(name, model.data.classNames, classCount));
  if (how === 'data') {
    const counts = classCountsOf(model);
    return proportionalLabels(
      counts.map((rows, label) => (classes === undefined || classes.includes(label) ? rows : 0)),
      total,
    );
  }
  if (classes === undefined) return roundLabels(model, total);
  return new HostArray(
    'int32',
    [total],
    Int32Array.from({ length: total }, (_, i) => classes[i % classes.length]),
  );
}

/** @throws {ArgumentError} when the model does not record how often its data has each class */
function classCountsOf({ data }: Generator): readonly number[] {
  if (data.classCounts !== undefined) return data.classCounts;
  throw new ArgumentError(
    `The model does not record how often ${data.name} has each class, as data that are drawn afresh, imported models and ` +
      'checkpoints of earlier versions do not: leave --labels out, or name classes with --class.',
  );
}
