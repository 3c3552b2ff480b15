/**
 * What `meanflow compare` is asked: out of its options and configuration file, or out of the folder of a comparison that is gone on
 * with.
 */
import { objectives } from '@meanflow/models';
import { ArgumentError, validate } from '@meanflow/core';
import {
  comparisonConfigSchema,
  type ComparisonRequest,
  DEFAULT_BACKEND,
  defaultDatasets,
  loadRequest,
  merge,
  openConfigFile,
} from '@meanflow/runs/node';
import { taskOf } from './task.js';
import { shellWord } from '../terminal/shell.js';
import { imageSettings, latentSettings, tableSettings } from '../commands/options.js';
import { optionName } from '../commands/option-name.js';
import type { CompareOptions } from '../commands/compare.js';

const defaults = () => ({
  data: defaultDatasets,
  methods: objectives.names,
  seeds: [0],
  backend: DEFAULT_BACKEND,
  recipes: {},
});

/** @throws {ArgumentError | DataError} when an option or a file is wrong, or there is no comparison to go on with */
export function requestOf(options: CompareOptions): Promise<ComparisonRequest> {
  return options.resume === undefined ? newRequest(options) : requestToResume(options.resume, options);
}

async function newRequest(options: CompareOptions): Promise<ComparisonRequest> {
  const { data, label, method, steps, batch, backend: backendName } = options;
  if (options.seeds !== undefined && options.seed !== undefined)
    throw new ArgumentError('Give --seeds or --seed, not both.');
  const seeds = options.seeds ?? (options.seed === undefined ? undefined : [options.seed]);
  const file = options.config === undefined ? undefined : await openConfigFile(options.config);
  const images = imageSettings(options);
  const table = tableSettings(options);
  const latents = latentSettings(options);
  const task = taskOf(options);
  const changes = { data, label, table, images, latents, task, methods: method, seeds, backend: backendName };
  const config = validate(
    comparisonConfigSchema(),
    merge(merge(defaults(), file?.record), changes),
    file?.source ?? 'The options',
  );
  const evaluation = options.metrics && { metrics: options.metrics };
  return { config, changes: { steps, batch, evaluation }, command: commandLine(options) };
}

/** What a comparison that is gone on with was asked; only where it runs may change. */
async function requestToResume(folder: string, options: CompareOptions): Promise<ComparisonRequest> {
  const { resume: _, jobs: __, backend, ...fixed } = options;
  const [name] = Object.keys(fixed);
  if (name !== undefined) {
    throw new ArgumentError(
      `${optionName(name)} cannot change with --resume: a comparison keeps what it was begun with, but for --jobs and --backend.`,
    );
  }
  const { config, ...request } = await loadRequest(folder);
  return { ...request, config: { ...config, ...(backend && { backend }) } };
}

/** The command as it would be typed again. */
function commandLine(options: CompareOptions): string {
  const written = Object.entries(options).map(([name, value]) => {
    const option = optionName(name);
    if (value === false) return option.replace('--', '--no-');
    return value === true
      ? option
      : `${option} ${shellWord(Array.isArray(value) ? value.join(',') : String(value))}`;
  });
  return ['meanflow compare', ...written].join(' ');
}
