/** `meanflow sample`: samples of a trained model in the units of its data, as numbers or as a picture. */
import { ArgumentError, didYouMean, HostArray, RandomKey } from '@meanflow/core';
import { createSampler } from '@meanflow/samplers';
import type { Command } from 'commander';
import { DEFAULT_BACKEND, findBackend } from '../backends.js';
import { solverNames, type SolverName } from '../config/schema.js';
import { classByClass, drawSamples, roundLabels } from '../experiment/draw.js';
import { loadGenerator } from '../experiment/generator.js';
import type { Generator, Labels } from '../experiment/model.js';
import { writeOutput } from '../files.js';
import { countText } from '../report/numbers.js';
import { checkFormat, formatSamples } from '../sample-formats.js';
import type { Io } from '../terminal/io.js';
import { grid, names, nonNegative, withBackend, wholeNumber, type Grid } from './options.js';

interface SampleOptions {
  readonly nfe?: number;
  readonly count?: number;
  readonly class?: readonly string[];
  readonly seed: number;
  readonly grid?: Grid | true;
  readonly solver?: string;
  readonly guidance?: number;
  readonly out?: string;
  readonly backend?: string;
}

export function addSample(program: Command, io: Io): void {
  const command = program
    .command('sample')
    .summary('draw samples from a trained model')
    .description(
      'Draw samples from a run or a checkpoint. They come in the units of the data that it was trained on, with the class that was ' +
        'asked for. The format follows from the ending of --out: .csv, .json, .png or .svg.',
    )
    .argument('<run>', 'a run folder, or a checkpoint (.safetensors)')
    .option(
      '--nfe <n>',
      'network evaluations for each sample; by default the fewest that it was made for',
      wholeNumber(1),
    )
    .option('--count <n>', 'how many samples; 1,000, or 100 where they are images', wholeNumber(1))
    .option('--class <names>', 'only these classes, which take turns; all of them by default', names)
    .option(
      '--grid [size]',
      'a grid of images such as 8x8 (rows x columns); ten of each class by default',
      grid,
    )
    .option('--solver <name>', solverNames.join(', '))
    .option(
      '--guidance <scale>',
      'guidance scale, where the model was trained for it; 1 is none',
      nonNegative,
    )
    .option('--seed <n>', 'of the noise', wholeNumber(0), 0)
    .option('--out <file>', 'where to; "-" prints CSV. By default samples.csv, or samples.png for images')
    .addHelpText(
      'after',
      `
Examples:
  $ meanflow sample runs/8-gaussians-meanflow-seed-0                    # one step, 1,000 points
  $ meanflow sample runs/digits --nfe 2 --class 7 --count 20 --out sevens.png
  $ meanflow sample runs/digits --grid --out digits.png                 # ten of each
  $ meanflow sample runs/shapes --grid 8x8 --class star,ring --nfe 1
  $ meanflow sample runs/points --count 50 --out - | head`,
    );
  withBackend(command).action((run: string, options: SampleOptions) => sample(run, options, io));
}

async function sample(run: string, options: SampleOptions, io: Io): Promise<void> {
  const model = withGuidance(await loadGenerator(run), options.guidance);
  const solver = solverOption(options.solver);
  const out = options.out ?? (model.data.imageShape === undefined ? 'samples.csv' : 'samples.png');
  checkFormat(out, model.data);
  const labels = labelsFor(model, options);
  const isAdaptive = (solver ?? model.sampling.solver) === 'dormand-prince';
  const nfe = options.nfe ?? (isAdaptive ? undefined : defaultEvaluations(model));
  const backend = await findBackend(options.backend ?? DEFAULT_BACKEND).open();
  try {
    const sampler = createSampler(backend, model.network);
    const key = RandomKey.fromSeed(options.seed).fold('sample');
    const count = labels?.size ?? defaultCount(model, options);
    const drawn = await drawSamples(sampler, model, { count, key, labels, nfe, ...(solver && { solver }) });
    const columns = typeof options.grid === 'object' ? options.grid.columns : undefined;
    const content = formatSamples(out, drawn.samples, labels, model.data, columns);
    if (out === '-') io.out(String(content));
    else await writeOutput(out, content);
    const where = out === '-' ? '' : `: ${out}`;
    io.err(`${countText(count)} samples at ${Number(drawn.nfe.toFixed(1))} NFE, ${model.origin}${where}\n`);
    await sampler.dispose();
  } finally {
    await backend.dispose();
  }
}

/** One step where a step crosses all of the interval, else as many as the model is evaluated with at most. */
export function defaultEvaluations({ sampling: { solver, nfe } }: Generator): number {
  return solver === 'average-velocity' ? Math.min(...nfe) : Math.max(...nfe);
}

function defaultCount({ data }: Generator, { count, grid }: SampleOptions): number {
  if (typeof grid === 'object') return grid.rows * grid.columns;
  return count ?? (data.imageShape === undefined ? 1000 : 100);
}

function labelsFor(model: Generator, options: SampleOptions): Labels {
  const { classCount } = model.network;
  const { class: chosen, grid, count } = options;
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
    if (chosen !== undefined || grid === true) {
      throw new ArgumentError(
        `The model knows no classes: it was trained on ${model.data.name} without them.`,
      );
    }
    return undefined;
  }
  if (grid === true) return classByClass(model, 10);
  const total = defaultCount(model, options);
  if (chosen === undefined) return roundLabels(model, total);
  const classes = chosen.map((name) => classOf(name, model.data.classNames ?? []));
  return new HostArray(
    'int32',
    [total],
    Int32Array.from({ length: total }, (_, i) => classes[i % classes.length]),
  );
}

/** @throws {ArgumentError} when there is no class of that name, with the nearest one */
function classOf(name: string, known: readonly string[]): number {
  const label = known.indexOf(name);
  if (label >= 0) return label;
  throw new ArgumentError(
    `There is no class "${name}".${didYouMean(name, known)} Known are ${known.join(', ')}.`,
  );
}

/** @throws {ArgumentError} when the model was not made for guidance when sampling */
export function withGuidance<T extends Generator>(model: T, scale: number | undefined): T {
  if (scale === undefined) return model;
  if (model.guidance === undefined) {
    throw new ArgumentError(
      'The model was not trained for guidance when sampling: improved MeanFlow with guidance conditions is, and flow matching ' +
        'with label drop.',
    );
  }
  return { ...model, sampling: { ...model.sampling, guidance: { ...model.sampling.guidance, scale } } };
}

export function solverOption(name: string | undefined): SolverName | undefined {
  if (name === undefined) return undefined;
  const found = solverNames.find((candidate) => candidate === name);
  if (found !== undefined) return found;
  throw new ArgumentError(
    `There is no solver "${name}".${didYouMean(name, solverNames)} Known are ${solverNames.join(', ')}.`,
  );
}
