/** `meanflow evaluate`: how good a trained model's samples are, at several numbers of network evaluations. */
import type { Classifier } from '@meanflow/classifier';
import { ArgumentError, type Backend } from '@meanflow/core';
import type { Dataset } from '@meanflow/data';
import { findMetric } from '@meanflow/metrics';
import { createSampler } from '@meanflow/samplers';
import {
  checkClassifiable,
  checkFiniteParameters,
  classifierOf,
  type ClassifierWork,
  countText,
  createJudge,
  DEFAULT_BACKEND,
  featureMetricsAmong,
  findBackend,
  type Generator,
  isSampleFile,
  type Judge,
  type JudgingClassifier,
  loadModel,
  located,
  methods,
  type Model,
  type ModelScores,
  namedClassifier,
  openJudgedDataOf,
  type RunConfig,
  scoreModel,
  stepsFor,
  withClassifier,
  withPlacesOfRun,
  withGuidance,
} from '@meanflow/runs/node';
import { isModelFile } from '@meanflow/checkpoints/node';
import { scoresTable } from '../terminal/scores.js';
import { showClassifierProgress } from '../terminal/classifier-progress.js';
import { noticesTo, type Io } from '../terminal/io.js';
import { folderOptionNames } from '../commands/options.js';
import { optionName } from '../commands/option-name.js';
import type { EvaluateOptions } from '../commands/evaluate.js';

const withFeatures = [
  'statistics',
  ...folderOptionNames,
  'layout',
  'pixelRange',
  'vae',
  'featuresRange',
  'featuresLayout',
  'featuresSize',
  'featuresOutput',
  'logitsOutput',
] as const;

export async function evaluate(run: string, options: EvaluateOptions, io: Io): Promise<void> {
  options.metrics?.forEach(findMetric);
  const stray = withFeatures.find((name) => options[name] !== undefined);
  if (stray !== undefined) {
    throw new ArgumentError(
      `${optionName(stray)} goes with --features, which names the ONNX file to judge by.`,
    );
  }
  if (isSampleFile(run) || (await isModelFile(run))) {
    throw new ArgumentError(
      `"${run}" was not trained here: it is judged by a feature extractor in an ONNX file, --features, against --statistics or --data.`,
    );
  }
  const loaded = await loadModel(run, { ...options, notify: noticesTo(io) });
  const model = withChanges(loaded.model, options);
  checkFiniteParameters(model.params, `"${run}"`);
  for (const note of model.notes) io.err(`${note}\n`);
  const { config, network, step } = model;
  const guided = (options.guidance ?? [undefined]).map((scale) =>
    withGuidance(model, undefined, { guidance: scale, guidanceInterval: options.guidanceInterval }),
  );
  const nfe = options.nfe ?? possibleEvaluations(guided[0]);
  nfe.forEach((evaluations) => checkEvaluations(guided[0], evaluations));
  const dataset = await openJudgedDataOf(
    await located(await withPlacesOfRun(config, run), run, options.data),
  );
  const backend = await findBackend(options.backend ?? DEFAULT_BACKEND).open();
  try {
    const progress = showClassifierProgress(dataset.name, io, undefined);
    const work = { ...progress, backend };
    const judgedBy = await judgingClassifier(dataset, config, options.classifier, work).finally(
      progress.stop,
    );
    const { judge, rows, floor } = await using(judgedBy, backend, async (classifier) => {
      const judge = createJudge(dataset, config, options.seed, classifier);
      checkApplicable(judge, options.metrics ?? []);
      const sampler = createSampler(backend, network);
      const rows: (ModelScores & { readonly guidance: number | undefined })[] = [];
      for (const each of guided) {
        const scored = await scoreModel(sampler, each, judge, {
          seed: options.seed,
          nfe,
          even: options.labels === 'uniform',
        });
        const scale = options.guidance && each.sampling.guidance?.scale;
        rows.push(...scored.map((row) => ({ ...row, guidance: scale })));
      }
      await sampler.dispose();
      return { judge, rows, floor: await judge.floor() };
    });
    const { samples } = config.evaluation;
    if (options.json) {
      const results = rows.map((row) => ({
        nfe: row.nfe,
        solver: config.sampling.solver,
        ...(row.guidance === undefined ? {} : { guidance: row.guidance }),
        metrics: row.scores,
      }));
      const { params: _, ...classifier } = judgedBy?.model ?? { params: undefined };
      const content = {
        data: dataset.name,
        method: config.method,
        step,
        samples,
        ...(judgedBy === undefined ? {} : { classifier }),
        floor,
        results,
      };
      io.out(`${JSON.stringify(content, null, 2)}\n`);
      return;
    }
    const { title } = methods[config.method];
    io.err(`${title} on ${dataset.name}, step ${countText(step)}, ${countText(samples)} samples\n`);
    const table = rows.map(({ nfe, guidance, scores }) => ({ name: title, nfe, guidance, scores }));
    io.out(scoresTable(judge.metrics, table, floor));
  } finally {
    await backend.dispose();
  }
}

/** What the options change of the run's own settings for evaluation. */
function withChanges(model: Model, { samples, metrics, guidance, classifier }: EvaluateOptions): Model {
  const own = model.config.evaluation;
  const isOfClasses = model.data.imageShape !== undefined && model.data.classNames !== undefined;
  // What guidance is for shows in these.
  const added =
    (guidance ?? classifier) !== undefined && isOfClasses ? ['class-accuracy', 'feature-frechet'] : [];
  const evaluation = {
    ...own,
    samples: samples ?? own.samples,
    metrics: [...(metrics ?? [...new Set([...own.metrics, ...added])])],
  };
  return { ...model, config: { ...model.config, evaluation } };
}

/** The run's own numbers of evaluations; under guidance that takes two for a step, those that are whole steps. */
function possibleEvaluations({ sampling, guidance }: Generator): readonly number[] {
  const isDoubled = sampling.guidance !== undefined && guidance === 'classifier-free';
  const possible = sampling.nfe.filter((nfe) => !isDoubled || nfe % 2 === 0);
  return possible.length === 0 ? sampling.nfe : possible;
}

/** @throws {ArgumentError} when evaluations are no whole number of steps */
function checkEvaluations({ sampling, guidance }: Generator, evaluations: number): void {
  stepsFor(sampling, evaluations, sampling.guidance !== undefined && guidance === 'classifier-free');
}

/** The classifier that the metrics need: the one that was named, or the data's own; undefined where they need none. */
async function judgingClassifier(
  dataset: Dataset,
  { evaluation, digest }: RunConfig,
  path: string | undefined,
  work: ClassifierWork,
): Promise<JudgingClassifier | undefined> {
  if (featureMetricsAmong(evaluation.metrics).length === 0) {
    if (path === undefined) return undefined;
    throw new ArgumentError(
      `--classifier is for metrics on features, and none is asked for: ${evaluation.metrics.join(', ')}.`,
    );
  }
  checkClassifiable(evaluation.metrics, dataset);
  if (path !== undefined) return namedClassifier(path, { dataset, digest });
  return classifierOf({ dataset, digest, settings: evaluation.classifier }, work);
}

/** Compiles a classifier where there is one. */
function using<T>(
  judgedBy: JudgingClassifier | undefined,
  backend: Backend,
  use: (classifier?: Classifier) => Promise<T>,
): Promise<T> {
  return judgedBy === undefined ? use() : withClassifier(judgedBy, backend, use);
}

/** What metrics read, in words. */
const readable: Readonly<Record<string, string>> = {
  sampleLabels: 'a model that knows classes',
  referenceLabels: 'data with classes',
  training: 'data that are a finite set of rows',
  support: 'data whose distribution is known',
  sampleLogits: "a classifier's logits",
};

/** @throws {ArgumentError} when a metric that was named does not apply */
function checkApplicable({ metrics }: Judge, named: readonly string[]): void {
  for (const name of named) {
    if (metrics.some((metric) => metric.name === name)) continue;
    const needed = findMetric(name).reads.flatMap((field) => readable[field] ?? []);
    throw new ArgumentError(
      `The metric "${name}" does not apply here: it needs ${[...new Set(needed)].join(' and ')}.`,
    );
  }
}
