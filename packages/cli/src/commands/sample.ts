/** `meanflow sample`: samples of a trained model in the units of its data, as numbers or as a picture. */
import { ArgumentError, didYouMean, HostArray, printable, RandomKey } from '@meanflow/core';
import { delimiterOf, proportionalLabels } from '@meanflow/data';
import { createSampler, decodeSamples } from '@meanflow/samplers';
import { Option, type Command } from 'commander';
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
  type SolverName,
  solverNames,
  writeOutput,
  writePngFolder,
} from '@meanflow/runs/node';
import { noticesTo, type Io } from '../terminal/io.js';
import {
  averageOption,
  forceOption,
  grid,
  labelChoices,
  names,
  withBackend,
  withGuidanceOptions,
  evaluations,
  wholeNumber,
  type Grid,
  type LabelChoice,
} from './options.js';

interface SampleOptions {
  readonly nfe?: number;
  readonly count?: number;
  readonly class?: readonly string[];
  readonly labels?: LabelChoice;
  readonly delimiter?: string;
  readonly seed: number;
  readonly grid?: Grid | true;
  readonly solver?: string;
  readonly guidance?: number;
  readonly guidanceInterval?: readonly [number, number];
  readonly vae?: string;
  readonly average?: string;
  readonly force?: boolean;
  readonly batch?: number;
  readonly out?: string;
  readonly backend?: string;
}

/** Classes that a grid shows all of. */
const MOST_ROWS = 100;
/** Classes that a message names of many. */
const SHOWN_CLASSES = 40;

export function addSample(program: Command, io: Io): void {
  const command = program
    .command('sample')
    .summary('draw samples from a trained model')
    .description(
      'Draw samples from a run, a checkpoint or an imported model. They come in the units of the data that it was trained on, with ' +
        'the class that was asked for. The format follows from the ending of --out: .csv, .json, .npz, .npy, .png or .svg; ' +
        'a folder gets a PNG file for each image.',
    )
    .argument('<run>', 'a run folder, a checkpoint or an imported model (.safetensors)')
    .option(
      '--nfe <n>',
      'network evaluations for each sample; by default the fewest that it was made for',
      evaluations,
    )
    .option(
      '--count <n>',
      'how many samples; 1,000, or 100 where they are images, or 16 of a published model',
      wholeNumber(1),
    )
    .option(
      '--class <names>',
      'only these classes, by name (by number where they have no names), which take turns; all of them by default',
      names,
    )
    .addOption(
      new Option(
        '--labels <how>',
        'how often samples have each class: all alike (the default), or as the data has it',
      ).choices(labelChoices),
    )
    .option(
      '--grid [size]',
      'a grid of images such as 8x8 (rows x columns); ten of each class by default',
      grid,
    )
    .option('--solver <name>', solverNames.join(', '))
    .addOption(averageOption())
    .option('--vae <file>', 'decoder of an autoencoder, from "meanflow import": makes images of latents')
    .option('--batch <n>', 'samples that are computed at once, which decides the memory', wholeNumber(1))
    .option(
      '--delimiter <sign>',
      'what separates the cells of CSV: a character, or comma, semicolon, tab, space, bar',
    )
    .option('--seed <n>', 'of the noise', wholeNumber(0), 0)
    .option('--out <file>', 'where to; "-" prints CSV. By default samples.csv, or samples.png for images')
    .addOption(forceOption())
    .addHelpText(
      'after',
      `
Examples:
  $ meanflow sample runs/8-gaussians-meanflow-seed-0                    # one step, 1,000 points
  $ meanflow sample runs/digits --nfe 2 --class 7 --count 20 --out sevens.png
  $ meanflow sample runs/digits --grid --out digits.png                 # ten of each
  $ meanflow sample runs/shapes --grid 8x8 --class star,ring --nfe 1
  $ meanflow sample runs/shapes --count 5000 --out samples/             # or samples.npz: for tools that compute FID
  $ meanflow sample runs/points --count 50 --out - | head
  $ meanflow sample imf-b.safetensors --vae vae.safetensors --grid 4x4 --class 207 --nfe 1`,
    );
  withBackend(withGuidanceOptions(command)).action((run: string, options: SampleOptions) =>
    sample(run, options, io),
  );
}

async function sample(run: string, options: SampleOptions, io: Io): Promise<void> {
  const loaded = await loadGenerator(run, { ...options, notify: noticesTo(io) });
  const solver = solverOption(options.solver);
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
    const samples =
      decoder === undefined
        ? drawn.samples
        : await decodeSamples(backend, decoder, drawn.samples, { batchSize: decoder.rows, borrow: true });
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

/** One step where a step crosses all of the interval, else as many as the model is evaluated with at most. */
export function defaultEvaluations({ sampling: { solver, nfe } }: Generator): number {
  return solver === 'average-velocity' ? Math.min(...nfe) : Math.max(...nfe);
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

/**
 * A class by its name; by its place only where classes have no names, for "3" may be the name of another one.
 *
 * @throws {ArgumentError} with the classes there are, and the nearest one
 */
export function classOf(name: string, known: readonly string[] | undefined, classCount: number): number {
  const names = known ?? Array.from({ length: classCount }, (_, label) => String(label));
  const label = names.indexOf(name);
  if (label >= 0) return label;
  const isNumbered = names.every((each, i) => each === String(i));
  const shown =
    names.length <= SHOWN_CLASSES ? names : [...names.slice(0, SHOWN_CLASSES), `… (${names.length})`];
  throw new ArgumentError(
    isNumbered
      ? `There is no class "${name}": they are numbers from 0 to ${names.length - 1}.`
      : `There is no class "${name}".${didYouMean(name, names)} Known are ${shown.join(', ')}.`,
  );
}

/** Guidance as asked for; what is undefined is the model's own. */
interface GuidanceChoice {
  readonly guidance?: number | undefined;
  readonly guidanceInterval?: readonly [number, number] | undefined;
}

/**
 * A model with the guidance that options ask for, and otherwise its own at this number of evaluations.
 *
 * @throws {ArgumentError} when the model was not made for guidance when sampling
 */
export function withGuidance<T extends Generator>(
  model: T,
  nfe: number | undefined,
  { guidance: scale, guidanceInterval: interval }: GuidanceChoice,
): T {
  const own = (nfe === undefined ? undefined : model.guidanceAt?.[nfe]) ?? model.sampling.guidance;
  if (scale === undefined && interval === undefined) {
    return own === undefined ? model : { ...model, sampling: { ...model.sampling, guidance: own } };
  }
  if (model.guidance === undefined) {
    throw new ArgumentError(
      'The model was not trained for guidance when sampling: improved and pixel MeanFlow with guidance conditions are, and flow ' +
        'matching with label drop.',
    );
  }
  const chosen = scale ?? own?.scale;
  if (chosen === undefined) throw new ArgumentError('--guidance-interval needs a scale: give --guidance.');
  const times = interval === undefined ? {} : { start: interval[0], end: interval[1] };
  return { ...model, sampling: { ...model.sampling, guidance: { ...own, scale: chosen, ...times } } };
}

export function solverOption(name: string | undefined): SolverName | undefined {
  if (name === undefined) return undefined;
  const found = solverNames.find((candidate) => candidate === name);
  if (found !== undefined) return found;
  throw new ArgumentError(
    `There is no solver "${name}".${didYouMean(name, solverNames)} Known are ${solverNames.join(', ')}.`,
  );
}
