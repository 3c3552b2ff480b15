/** `meanflow info`: what a run or checkpoint is; or what there is to choose from; or all settings of a recipe. */
import { networks, objectives, type NetworkEntry } from '@meanflow/models';
import { existsSync } from 'node:fs';
import { describeModel, isModelFile } from '@meanflow/checkpoints/node';
import { ArgumentError, sizeOf, treePaths, type HostArray } from '@meanflow/core';
import { didYouMean, printable } from '@meanflow/core/validation';
import { datasets, describeData } from '@meanflow/data';
import { metrics } from '@meanflow/metrics';
import { solvers, type Solver } from '@meanflow/samplers';
import { backends, type Model, type RunConfig } from '@meanflow/runs/node';
import {
  askedRunSchema,
  averageText as describeAverage,
  bytesText,
  countText,
  type DescribedField,
  describeFields,
  fileOf,
  kindOf,
  loadModel,
  openData,
  publishedRecipeNames,
  publishedRecipeText,
  publishedRecipeTitle,
  readLastMetrics,
  recipeFor,
  recordText,
  resolveRun,
} from '@meanflow/runs/command';
import { noticesTo, type Io } from '../terminal/io.js';
import { dataSettings } from '../commands/data-options.js';
import type { InfoOptions } from '../commands/info.js';

export async function info(run: string | undefined, options: InfoOptions, io: Io): Promise<void> {
  checkOptions(run, options);
  if (run !== undefined) io.out(await runText(run, options, io));
  else if (options.recipe !== undefined) io.out(await recipeText(options.recipe, options));
  else if (options.data !== undefined) io.out(await dataText(options.data, options));
  else if (options.fields !== undefined) io.out(fieldsText(options.fields));
  else io.out(listText());
}

/** @throws {ArgumentError} for an option that would change nothing */
function checkOptions(run: string | undefined, options: InfoOptions): void {
  const given = [run, options.recipe, options.data, options.fields].filter((each) => each !== undefined);
  if (given.length > 1) {
    throw new ArgumentError('Give a run, --recipe, --data or --fields, not several of them.');
  }
  if (options.method !== undefined && options.recipe === undefined) {
    throw new ArgumentError('--method belongs to --recipe, which names the data.');
  }
  if (options.recipe !== undefined || options.data !== undefined) return;
  const stray = Object.entries(readingOf(options)).find(([, value]) => value !== undefined);
  if (stray !== undefined) {
    const name = stray[0] === 'label' ? '--label' : `An option of ${titles[stray[0]]}`;
    throw new ArgumentError(`${name} belongs to --recipe or --data, which name the data.`);
  }
}

const titles: Readonly<Record<string, string>> = {
  table: 'CSV files',
  images: 'images',
  latents: 'arrays',
};

/** What the options say of data. */
function readingOf(options: InfoOptions): Pick<RunConfig, 'label' | 'table' | 'images' | 'latents'> {
  return { label: options.label, ...dataSettings(options) };
}

/** What is understood of data, in a line. */
async function dataText(data: string, options: InfoOptions): Promise<string> {
  const choice = { data, ...readingOf(options), heldOut: 0.2, splitSeed: 0 };
  return `${describeData(await openData({ ...choice, layout: 'nhwc', conditional: false }))}\n`;
}

async function runText(path: string, { json }: InfoOptions, io: Io): Promise<string> {
  if (await isModelFile(path)) return modelText(path, json === true);
  const { model, checkpoint } = await loadModel(path, { notify: noticesTo(io) });
  const { config, data, network } = model;
  const { title, source } = objectives.get(config.method);
  if (json) return `${JSON.stringify({ step: model.step, config, data }, null, 2)}\n`;
  const values = treePaths<HostArray>(model.params);
  const shape = data.imageShape ?? data.featureShape;
  const last = await readLastMetrics(path);
  const rows: (readonly [string, string])[] = [
    ['checkpoint', checkpoint.source],
    [
      'trained',
      `${countText(model.step)} of ${countText(config.steps)} steps of ${config.batch}, seed ${config.seed}`,
    ],
    ['method', source === undefined ? title : `${title} (${source})`],
    ['data', `${data.name}, samples of ${shape.join(' × ')}${classText(config, data.classNames)}`],
    ...(data.description === undefined ? [] : [['read as', data.description] as const]),
    ['network', networkText(config)],
    ['parameters', `${countText(network.parameterCount)} in ${values.length} tensors`],
    ['averages', checkpoint.averages.join(', ') || 'none'],
    [
      'sampling',
      `${config.sampling.solver}, at ${config.sampling.nfe.join(', ')} NFE, ${averageText(model)}`,
    ],
    ['backend', config.backend],
    ...(config.plugins ?? []).map((plugin) => ['plug-ins', recordText(plugin)] as const),
    ...last,
  ];
  return tableText(rows);
}

/** A model file, as `meanflow import` writes it. */
async function modelText(path: string, isJson: boolean): Promise<string> {
  const { facts, catalogue, bytes } = await describeModel(path);
  const { name, description, origin } = facts;
  if (isJson) return `${JSON.stringify({ name, ...description, origin }, null, 2)}\n`;
  const { tensors } = catalogue;
  const count = tensors.reduce((total, { shape }) => total + sizeOf(shape), 0);
  const settings: object = 'network' in description ? description.network : description.autoencoder;
  return tableText([
    ['model file', catalogue.source],
    ['model', name ?? 'without a name'],
    ['imported', `from ${origin.format}, weights ${origin.weights}`],
    ['network', Object.entries(settings).map(([key, value]) => `${key} ${JSON.stringify(value)}`).join(', ')],
    ['parameters', `${countText(count)} in ${tensors.length} tensors of ${[...new Set(tensors.map(({ dtype }) => dtype))].join(', ')}, ${bytesText(bytes)}`],
  ]);
} // prettier-ignore

function tableText(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  // Names that a file holds are among them.
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${printable(value, Infinity)}\n`).join('');
}

function classText({ conditional }: RunConfig, names: readonly string[] | undefined): string {
  if (names === undefined) return '';
  return conditional
    ? `, conditional on ${names.length} classes`
    : `, ${names.length} classes that it is not told`;
}

function networkText({ network }: RunConfig): string {
  const { description, hasVelocityHead } = networks.get(network.kind).facts(network);
  return `${description}${hasVelocityHead ? ', with a velocity head' : ''}`;
}

function averageText({ average }: Pick<Model, 'average'>): string {
  return average === null ? 'the parameters themselves' : `the average of ${describeAverage(average)}`;
}

async function recipeText(data: string, options: InfoOptions): Promise<string> {
  const { label, method } = options;
  if (publishedRecipeNames().includes(data)) {
    if (label === undefined && method === undefined) return publishedRecipeText(data);
    throw new ArgumentError(`The recipe "${data}" says its method itself, and knows no labels.`);
  }
  if (kindOf(data) === 'table' && !/[\\/.]/.test(data) && !existsSync(data)) {
    const guess = didYouMean(data, [...publishedRecipeNames(), ...datasets.names]);
    throw new ArgumentError(
      `There is neither a published recipe nor a data set "${data}".${guess} "meanflow info" lists both.`,
    );
  }
  const asked = { record: { data, ...readingOf(options), method }, source: 'The options' };
  const { config: resolved, dataset } = await resolveRun([asked]);
  // A run records the digest of its file, how it read it, and its plug-ins, itself.
  const { digest: _, reading: __, plugins: ___, ...config } = resolved;
  return `${JSON.stringify(method === undefined ? recipeFor(data, dataset) : config, null, 2)}\n`;
}

/** Every field of a configuration, with what it may be and what it says. */
function fieldsText(within: string | true): string {
  const all = describeFields(askedRunSchema());
  const fields = within === true ? all : describeFields(askedRunSchema(), within);
  if (fields.length === 0) {
    const paths = all.map(({ path }) => path);
    throw new ArgumentError(
      `--fields: there is no field "${printable(String(within))}".${didYouMean(String(within), paths)} "meanflow info --fields" lists all.`,
    );
  }
  return fields.map(fieldText).join('');
}

function fieldText({ path, type, kinds, byDefault, descriptions }: DescribedField): string {
  const facts = [
    type,
    ...(byDefault === undefined ? [] : [`by default ${byDefault}`]),
    ...(kinds === undefined ? [] : [`of ${kinds.join(', ')}`]),
  ];
  const texts = descriptions.map(({ text, kinds: whose }) =>
    descriptions.length === 1 ? `    ${text}\n` : `    ${whose.join(', ')}: ${text}\n`,
  );
  return `${path}: ${facts.join('; ')}\n${texts.join('')}`;
}

function solverText({ kind, order, evaluationsPerStep }: Solver): string {
  if (order === Infinity) return 'steps by the average velocity, of any length';
  const steps = kind === 'adaptive' ? 'steps of its own choice' : `${evaluationsPerStep} evaluations a step`;
  return `order ${order}, ${evaluationsPerStep === 1 ? 'one evaluation a step' : steps}`;
}

function kindText({ isFlat, layout, takesClasses }: NetworkEntry): string {
  const of = isFlat ? 'for rows of numbers, and images as such' : `for images, ${layout}`;
  return takesClasses ? of : `${of}, without classes`;
}

function listText(): string {
  const list = (
    title: string,
    rows: readonly (readonly [string, string])[],
    kind?: Parameters<typeof fileOf>[0],
  ): string => {
    const width = Math.max(...rows.map(([name]) => name.length));
    const lines = rows.map(([name, text]) => {
      const file = kind && fileOf(kind, name);
      const from = file === undefined ? [] : [`[${printable(file.path)}]`];
      return `  ${[name.padEnd(width), ...(text === '' ? [] : [text]), ...from].join('  ')}\n`;
    });
    return `${title}\n${lines.join('')}`;
  };
  return [
    list(
      'Data sets (or the path of a CSV file, of images or of latents)',
      [...datasets].map(({ name, description }) => [name, description]),
      'datasets',
    ),
    list(
      'Methods',
      [...objectives].map(({ name, description, source }) => [
        name,
        source === undefined ? description : `${description} (${source})`,
      ]),
      'objectives',
    ),
    list(
      'Networks (network.kind in a configuration)',
      [...networks].map((entry) => [entry.name, kindText(entry)]),
      'networks',
    ),
    list(
      'Solvers (meanflow sample --solver)',
      [...solvers].map((solver) => [solver.name, solverText(solver)]),
      'solvers',
    ),
    list(
      'Published recipes (meanflow train --recipe)',
      publishedRecipeNames().map((name) => [name, publishedRecipeTitle(name)]),
    ),
    list(
      'Metrics',
      [...metrics].map(({ name, description }) => [name, description]),
      'metrics',
    ),
    list(
      'Backends',
      [...backends].map(({ name, description = '' }) => [name, description]),
      'backends',
    ),
  ].join('\n');
}
