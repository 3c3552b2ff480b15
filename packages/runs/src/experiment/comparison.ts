/**
 * A comparison: every method on every data set at every seed, trained and judged alike. All runs are resolved before the first one
 * begins, so that a mistake in the last shows at once.
 */
import type { Classifier } from '@meanflow/classifier';
import { ArgumentError, type Backend } from '@meanflow/core';
import { didYouMean, ownValue, validate, leading } from '@meanflow/core/validation';
import { datasets, type Dataset } from '@meanflow/data';
import { layersOf, overlaid, type SettingsLayer } from '../config/layers.js';
import { merge, type JsonRecord } from '../config/merge.js';
import { recipeSchema, type ComparisonConfig, type RunSettings } from '../config/schema.js';
import { recipeFor } from '../recipes/index.js';
import type { DatasetPictures, DatasetResults } from '../report/results.js';
import { withClassifier, type ClassifierTask, type JudgingClassifier } from './classifier.js';
import { checkJudgeable, createJudge, type Judge, type Scores } from './evaluation.js';
import { featureMetricsAmong } from './features.js';
import { mergeRuns } from './lengths.js';
import { fileName, type FinishedRun, type RunTask } from './one-run.js';
import { datasetPictures } from './pictures.js';
import { applicableSettings, kindOf, rememberingOpener } from './open-data.js';
import { chooseData, judgedData, resolveRun, type ResolvedRun } from './resolve.js';
import { summarise } from './summary.js';
import { checkTrainable } from './training.js';

/** Settings that are laid over the recipes: over those of all runs, or of a data set, or of a method. */
export interface RunChange extends SettingsLayer {
  readonly data?: string | undefined;
  readonly method?: string | undefined;
}

/** The runs on one data set, by seed and method. */
export interface PlannedDataset {
  readonly dataset: Dataset;
  readonly description: string;
  readonly runs: readonly PlannedSeed[];
  /** What the classifier is trained on and how, where the metrics need one. */
  readonly classifier: ClassifierTask | undefined;
}

/** The runs at one seed, by method, and what they are judged by. */
export interface PlannedSeed {
  readonly seed: number;
  readonly byMethod: readonly ResolvedRun[];
  readonly judge: Judge;
}

/** Resolves every run. @throws {ArgumentError | DataError} when any of them cannot be */
export async function planComparison(
  config: ComparisonConfig,
  given: RunSettings | readonly RunChange[],
  describe: (dataset: Dataset) => string,
): Promise<PlannedDataset[]> {
  const changes: readonly RunChange[] = layersOf(given, 'The settings');
  checkRecipeNames(config);
  checkLabel(config);
  const planned: PlannedDataset[] = [];
  for (const data of config.data) {
    const kind = kindOf(data);
    const choice = {
      data,
      label: kind === 'table' ? config.label : undefined,
      table: kind === 'table' ? config.table : undefined,
      task: config.task,
      conditional: ownValue(config.recipes, data)?.conditional,
      backend: config.backend,
      ...applicableSettings(kind, config),
    };
    const open = rememberingOpener();
    const asked = (more: JsonRecord, method?: string): SettingsLayer[] => [
      { record: { ...choice, ...more }, source: 'The comparison' },
      // Together, so that a change of the kind of network leaves what is said of it elsewhere.
      overlaid(
        changes.filter((change) => appliesTo(change, data, method)),
        mergeRuns,
      ),
    ];
    const { dataset } = await chooseData(asked({}), { open });
    if (planned.some((other) => fileName(other.dataset.name) === fileName(dataset.name))) {
      throw new ArgumentError(
        `Two data sets are called "${dataset.name}", after which folder and pictures are named. Rename a file.`,
      );
    }
    const source = `recipes.${data}`;
    const recipe = validate(
      recipeSchema(),
      merge(recipeFor(data, dataset), ownValue(config.recipes, data)),
      source,
    );
    const runs: PlannedSeed[] = [];
    for (const seed of config.seeds) {
      const byMethod = [];
      for (const method of config.methods) {
        const layers = asked({ method, seed }, method);
        const run = await resolveRun(layers, { recipe, open });
        byMethod.push(overlaid(layers).record.logEvery === undefined ? loggedOften(run) : run);
      }
      runs.push({ seed, byMethod, judge: createJudge(dataset, byMethod[0]!.config, seed) });
    }
    for (const run of runs[0]!.byMethod) await checkTrainable(run);
    await checkJudgeable(dataset, runs[0]!.judge);
    const [first] = leading(runs[0]!.byMethod, 1);
    const { evaluation, digest } = first.config;
    const needsClassifier = featureMetricsAmong(evaluation.metrics).length > 0;
    const classifier = needsClassifier
      ? { dataset: await judgedData({ ...first, dataset }), digest, settings: evaluation.classifier }
      : undefined;
    planned.push({ dataset, description: describe(dataset), runs, classifier });
  }
  return planned;
}

/** Whether a change is meant for a data set and, where one is named, for a method. */
function appliesTo(change: RunChange, data: string, method: string | undefined): boolean {
  return (change.data ?? data) === data && (change.method ?? method) === method;
}

/** Points in the chart of a run's loss. */
const LOGGED = 200;

/** The run with as many of its steps logged as a chart shows. */
function loggedOften(run: ResolvedRun): ResolvedRun {
  const logEvery = Math.max(1, Math.round(run.config.steps / LOGGED));
  return { ...run, config: { ...run.config, logEvery } };
}

/** @throws {ArgumentError} when a recipe is changed that no data set has */
function checkRecipeNames({ data, recipes }: ComparisonConfig): void {
  const known = [...new Set([...data, ...datasets.names])];
  for (const name of Object.keys(recipes)) {
    if (known.includes(name) || /[\\/.]/.test(name)) continue;
    throw new ArgumentError(
      `recipes: there is no data set "${name}".${didYouMean(name, known)} Known are ${known.join(', ')}.`,
    );
  }
}

/** @throws {ArgumentError} when a label column is named and there is no file that it could be in */
function checkLabel({ data, label }: ComparisonConfig): void {
  if (label === undefined || data.some((name) => kindOf(name) === 'table')) return;
  throw new ArgumentError(
    `label: "${label}" would be the column of a CSV file that holds the class, but no file is compared: ${data.join(', ')}. ` +
      'Name one in the data, or leave the label out.',
  );
}

/** What came of a data set. */
export interface ComparedDataset {
  readonly results: DatasetResults;
  readonly pictures: DatasetPictures;
}

/** A run that failed. */
export interface RunFailure {
  readonly task: RunTask;
  readonly error: unknown;
}

/** What came of a data set's runs. */
export interface ComparisonOutcome {
  /** Of the runs that succeeded; undefined where none did. */
  readonly compared: ComparedDataset | undefined;
  readonly failures: readonly RunFailure[];
}

export interface CompareDatasetOptions {
  readonly train: (task: RunTask) => Promise<FinishedRun | undefined>;
  /** What the noise floor's features are computed on. */
  readonly backend: Backend;
  readonly classifier: JudgingClassifier | undefined;
  readonly signal: AbortSignal;
}

/**
 * Trains and judges everything on one data set. A run that fails leaves the others to go on.
 *
 * @returns undefined when it was interrupted
 */
export async function compareDataset(
  { dataset, description, runs, classifier: task }: PlannedDataset,
  { train, backend, classifier, signal }: CompareDatasetOptions,
): Promise<ComparisonOutcome | undefined> {
  const tasks = runs.flatMap(({ byMethod }, i) =>
    byMethod.map((run) => ({ run, withPictures: i === 0, classifier: classifier?.path })),
  );
  const made = await Promise.allSettled(tasks.map(train));
  const finished: FinishedRun[] = [];
  const failures: RunFailure[] = [];
  for (const [i, outcome] of made.entries()) {
    if (outcome.status === 'rejected') failures.push({ task: tasks[i]!, error: outcome.reason });
    else if (outcome.value === undefined) return undefined;
    else finished.push(outcome.value);
  }
  if (finished.length === 0) return { compared: undefined, failures };
  const judged = async (extractor?: Classifier): Promise<[readonly Judge[], Scores[] | undefined]> => {
    const judges = runs.map(({ judge, seed, byMethod }) =>
      extractor === undefined
        ? judge
        : createJudge(task?.dataset ?? dataset, byMethod[0]!.config, seed, extractor),
    );
    return [judges, await floorsOf(judges, signal)];
  };
  const [judges, floors] =
    classifier === undefined ? await judged() : await withClassifier(classifier, backend, judged);
  if (floors === undefined) return undefined;
  const pictures = datasetPictures(dataset, finished[0]!.config, finished);
  const results = summarise({ dataset, description, classifier }, judges[0]!.metrics, floors, finished);
  return { compared: { results, pictures }, failures };
}

/** The noise floor at each seed; undefined when it was interrupted. */
async function floorsOf(judges: readonly Judge[], signal: AbortSignal): Promise<Scores[] | undefined> {
  const floors: Scores[] = [];
  try {
    for (const judge of judges) floors.push(await judge.floor(signal));
    return floors;
  } catch (error) {
    if (signal.aborted && error === signal.reason) return undefined;
    throw error;
  }
}
