/** `meanflow sample`: samples of a trained model in the units of its data, as numbers or as a picture. */
import { ArgumentError, hostArray, type Backend } from '@meanflow/core';
import { didYouMean, printable } from '@meanflow/core/validation';
import { delimiterOf, GIVEN, normalise, type Batch } from '@meanflow/data';
import { openBackend, type Generator, openModel, type SampleChoice, type Samples } from '@meanflow/runs/node';
import {
  checkFolderOutput,
  checkFormat,
  checkOverwrite,
  checkSampleMemory,
  classByClass,
  className,
  countText,
  drawPlanned,
  formatSamples,
  type GivenRows,
  heldOutRows,
  isFolderOutput,
  loadModel,
  located,
  makeOutputFolder,
  openJudgedDataOf,
  planSamples,
  type SamplePlan,
  solverNamed,
  withPlacesOfRun,
  writeOutput,
  writePngFolder,
} from '@meanflow/runs/command';
import { showBeginning } from '../terminal/beginning.js';
import { noticesTo, type Io } from '../terminal/io.js';
import type { SampleOptions } from '../commands/sample.js';

/** Classes that a grid shows all of. */
const MOST_ROWS = 100;

export async function sample(run: string, options: SampleOptions, io: Io): Promise<void> {
  const { average, vae: decoder } = options;
  const { generator } = await openModel(run, { average, decoder, notify: noticesTo(io) });
  const { data } = generator;
  const solver = solverNamed(options.solver);
  const out = options.out ?? (data.imageShape === undefined ? 'samples.csv' : 'samples.png');
  const isFolder = isFolderOutput(out);
  if (isFolder) {
    checkFolderOutput(data);
    await makeOutputFolder(out);
  } else {
    checkFormat(out, data);
    if (out !== '-') await checkOverwrite([out], { confirm: io.confirm, force: options.force });
  }
  const delimiter = options.delimiter === undefined ? undefined : delimiterOf(options.delimiter);
  if (options.count !== undefined) checkSampleMemory(options.count, data.featureShape, '--count');
  const { batch: batchSize, nfe, seed, guidance, guidanceInterval, precision } = options;
  const rows = gridRows(generator, options);
  const given = await givenRows(run, generator, options, planSamples(generator, rows).count);
  const plan = planSamples(generator, {
    ...rows,
    ...given,
    batchSize,
    nfe,
    seed,
    guidance,
    guidanceInterval,
    solver,
    precision,
  });
  const { model, labels } = plan;
  const backend = await openBackend(options.backend);
  try {
    const { normalised, nfe: made } = await drawShown(plan, backend, io);
    if (isFolder) {
      const facts = { model: run, seed, nfe: made, solver: plan.solver, guidance: model.sampling.guidance };
      await writePngFolder(out, normalised, labels, data, facts);
    } else {
      const columns = typeof options.grid === 'object' ? options.grid.columns : undefined;
      const content = formatSamples(out, normalised, labels, data, columns, delimiter, plan.conditions);
      if (out === '-') io.out(String(content));
      else await writeOutput(out, content);
    }
    const where = out === '-' ? '' : `: ${out}`;
    for (const note of model.notes) io.err(`${note}\n`);
    const turns = turnsNote(model, options);
    if (turns !== undefined) io.err(`${turns}\n`);
    io.err(`${countText(plan.count)} samples at ${Number(made.toFixed(1))} NFE, ${model.origin}${where}\n`);
  } finally {
    await backend.dispose();
  }
}

async function drawShown(plan: SamplePlan, backend: Backend, io: Io): Promise<Samples> {
  const beginning = showBeginning(io);
  try {
    return await drawPlanned(plan, backend, { onProgress: beginning.update });
  } finally {
    beginning.end();
  }
}

/** What `--given` says for the rows that were held out. */
const HELD_OUT = 'held-out';

/** What `--given` says of the rows to draw. */
async function givenRows(
  run: string,
  generator: Generator,
  { given, seed }: SampleOptions,
  count: number,
): Promise<Pick<SampleChoice, 'conditions' | 'labels'>> {
  if (given?.join() !== HELD_OUT) return { conditions: givenConditions(generator, given, count) };
  const { label, conditions } = await rowsHeldOut(run, seed, count);
  return { conditions, ...(generator.network.classCount === undefined ? {} : { labels: label }) };
}

/** The held-out rows of a run's data, one after the other and again from the first. */
async function rowsHeldOut(run: string, seed: number, count: number): Promise<GivenRows> {
  const { config } = (await loadModel(run)).model;
  const dataset = await openJudgedDataOf(await located(await withPlacesOfRun(config, run), run, undefined));
  const given = heldOutRows(dataset, seed, config.evaluation.samples);
  if (given === undefined)
    throw new ArgumentError(`--given ${HELD_OUT}: the model "${run}" is given nothing.`);
  return given(count);
}

/**
 * The condition that `--given` says: the same for every sample, in the units of the data.
 *
 * @throws {ArgumentError} when the model takes no columns, or not these
 */
function givenConditions(
  { data }: Generator,
  given: readonly string[] | undefined,
  count: number,
): Batch['conditions'] {
  const spec = data.conditions?.[GIVEN];
  if (given === undefined) return undefined;
  if (spec?.columns === undefined) {
    throw new ArgumentError(
      `--given: the model was not trained with columns of ${data.name} that are given.`,
    );
  }
  const values = new Map(given.map((each) => each.split('=', 2) as [string, string | undefined]));
  const { columns } = spec;
  const unknown = [...values.keys()].find((name) => !columns.includes(name));
  if (unknown !== undefined) {
    throw new ArgumentError(
      `--given: "${unknown}" is none of the columns that are given, ${columns.join(', ')}.${didYouMean(unknown, columns)}`,
    );
  }
  const row = columns.map((name) => {
    const value = Number(values.get(name) ?? NaN);
    if (Number.isFinite(value)) return value;
    throw new ArgumentError(
      `--given has a number for each of ${columns.map((each) => `${each}=…`).join(',')}; "${name}" has none.`,
    );
  });
  const all = Array.from({ length: count }, () => row).flat();
  return {
    [GIVEN]: normalise(spec.normalisation, hostArray(Float64Array.from(all), { shape: [count, row.length] })),
  };
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

/** How many samples, and of which classes: as many as a grid has places. */
function gridRows(
  model: Generator,
  { class: classes, grid, count, labels }: SampleOptions,
): Pick<SampleChoice, 'class' | 'count' | 'labels'> {
  if (grid !== undefined && count !== undefined) {
    throw new ArgumentError('--count and --grid exclude each other: a grid has as many as its size says.');
  }
  if (grid === true && classes !== undefined) {
    throw new ArgumentError(
      '--grid without a size shows every class: with --class, give a size such as 8x8.',
    );
  }
  if (typeof grid === 'object' && model.data.imageShape === undefined) {
    throw new ArgumentError(`A grid is one of images, and ${model.data.name} has none.`);
  }
  const { classCount } = model.network;
  if (grid !== true) {
    return { class: classes, count: grid === undefined ? count : grid.rows * grid.columns, labels };
  }
  if (classCount === undefined) {
    throw new ArgumentError(`The model knows no classes: it was trained on ${model.data.name} without them.`);
  }
  if (classCount > MOST_ROWS) {
    throw new ArgumentError(
      `--grid without a size shows every class, and the model has ${countText(classCount)}: give a size such as 4x4.`,
    );
  }
  return { labels: classByClass(model, 10) };
}
