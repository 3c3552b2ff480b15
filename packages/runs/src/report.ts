/** `@meanflow/runs/report`: a comparison as one HTML page and as picture files. Loads the chart library. */
export { pictureFiles, type PictureFiles } from './report/files.js';
export { reportHtml } from './report/html.js';
export type {
  ComparisonResults,
  DatasetPictures,
  DatasetResults,
  FailedRun,
  MetricRow,
  MethodPictures,
  MethodResults,
  MetricColumn,
  MetricValues,
  SamplingResults,
} from './report/results.js';
