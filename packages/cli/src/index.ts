/** `@meanflow/cli`: the `meanflow` command as a function, its recipes, and the pictures and the report that it makes. */
export { run } from './program.js';
export type { Io } from './terminal/io.js';
export type { Recipe, RunConfig } from './config/schema.js';
export { defaultDatasets, recipeFor } from './recipes/index.js';
export { reportHtml } from './report/html.js';
export type {
  ComparisonResults,
  DatasetPictures,
  DatasetResults,
  FailedRun,
  MetricRow,
} from './report/results.js';
export { parseConfig } from './config/read-file.js';
export { checkAskedRun } from './config/schema.js';
