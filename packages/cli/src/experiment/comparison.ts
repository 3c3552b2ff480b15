/**
 * A comparison: every method on every data set at every seed, trained and judged alike. All runs are resolved before the first one
 * begins, so that a mistake in the last shows at once.
 */
import type { Dataset } from '@meanflow/data';
import { merge } from '../config/merge.js';
import { recipeSchema, type ComparisonConfig } from '../config/schema.js';
import { validate } from '../config/validate.js';
import { recipeFor } from '../recipes/index.js';
import type { DatasetPictures, DatasetResults } from '../report/results.js';
import { createJudge } from './evaluation.js';
import type { FinishedRun, RunTask } from './one-run.js';
import { datasetPictures } from './pictures.js';
import { resolveRun, type ResolvedRun } from './resolve.js';
import { summarise } from './summary.js';
import { checkTrainable } from './training.js';

/** Settings that the command line lays over every recipe. */
export interface RunChanges {
  readonly steps?: number | undefined;
  readonly batch?: number | undefined;
}

/** The runs on one data set, by seed and method. */
export interface PlannedDataset {
  readonly dataset: Dataset;
  readonly description: string;
  readonly runs: readonly { readonly seed: number; readonly byMethod: readonly ResolvedRun[] }[];
}

/** Resolves every run. @throws {ArgumentError | DataError} when any of them cannot be */
export async function planComparison(
  config: ComparisonConfig,
  changes: RunChanges,
  describe: (dataset: Dataset) => string,
): Promise<PlannedDataset[]> {
  const planned: PlannedDataset[] = [];
  for (const data of config.data) {
    const choice = { data, label: isPath(data) ? config.label : undefined, backend: config.backend };
    const { dataset } = await resolveRun(choice, 'The comparison');
    const source = `recipes.${data}`;
    const recipe = validate(
      recipeSchema,
      merge(recipeFor(dataset), merge(config.recipes[data], changes)),
      source,
    );
    const runs = [];
    for (const seed of config.seeds) {
      const byMethod = [];
      for (const method of config.methods) {
        const run = await resolveRun(
          { ...choice, method, seed, logEvery: Math.max(1, Math.round(recipe.steps / 200)) },
          source,
          recipe,
        );
        byMethod.push({ ...run, dataset });
      }
      runs.push({ seed, byMethod });
    }
    for (const run of runs[0].byMethod) await checkTrainable(run);
    planned.push({ dataset, description: describe(dataset), runs });
  }
  return planned;
}

/** What came of a data set. */
export interface ComparedDataset {
  readonly results: DatasetResults;
  readonly pictures: DatasetPictures;
}

/** Trains and judges everything on one data set; undefined when it was interrupted. */
export async function compareDataset(
  { dataset, description, runs }: PlannedDataset,
  train: (task: RunTask) => Promise<FinishedRun | undefined>,
): Promise<ComparedDataset | undefined> {
  const tasks = runs.flatMap(({ byMethod }, i) => byMethod.map((run) => ({ run, withPictures: i === 0 })));
  const finished = await Promise.all(tasks.map(train));
  if (!finished.every((run) => run !== undefined)) return undefined;
  const judges = runs.map(({ seed, byMethod }) => createJudge(dataset, byMethod[0].config, seed));
  const pictures = datasetPictures(dataset, finished[0].config, finished);
  return { results: summarise({ dataset, description }, judges, finished), pictures };
}

/** Labels are of files; the data sets with a name know theirs. */
function isPath(data: string): boolean {
  return /[\\/.]/.test(data);
}
