/**
 * What `meanflow compare` is asked: out of its options and configuration file, or out of the folder of a comparison that is gone on
 * with.
 */
import { objectives } from '@meanflow/models';
import { ArgumentError } from '@meanflow/core';
import { validate } from '@meanflow/core/validation';
import { DEFAULT_BACKEND, defaultDatasets } from '@meanflow/runs/names';
import {
  comparisonConfigSchema,
  loadRequest,
  openConfigWithPlugins,
  overlaid,
  shellWord,
  typedBackend,
} from '@meanflow/runs/command';
import type { ComparisonRequest } from '@meanflow/runs/node';
import { backendOption, layerOf } from '../commands/config-options.js';
import { dataOptions, labelOption, taskOptions } from '../commands/data-options.js';
import { noticesTo, type Io } from '../terminal/io.js';
import { optionName } from '../commands/option-name.js';
import { type CompareOptions, comparisonOptions } from '../commands/compare.js';
import { changesOf } from './compare-changes.js';

const defaults = () => ({
  data: defaultDatasets,
  methods: objectives.names,
  seeds: [0],
  backend: DEFAULT_BACKEND,
  recipes: {},
});

/** @throws {ArgumentError | DataError} when an option or a file is wrong, or there is no comparison to go on with */
export function requestOf(options: CompareOptions, io: Io): Promise<ComparisonRequest> {
  return options.resume === undefined ? newRequest(options) : requestToResume(options.resume, options, io);
}

async function newRequest(options: CompareOptions): Promise<ComparisonRequest> {
  const file = options.config === undefined ? undefined : await openConfigWithPlugins(options.config);
  const given = layerOf(
    [...comparisonOptions, labelOption, ...taskOptions, ...dataOptions, backendOption],
    options,
  );
  const layers = [
    { record: defaults(), source: 'The defaults' },
    ...(file === undefined ? [] : [file]),
    given,
  ];
  const { record, source } = overlaid(layers);
  const config = validate(comparisonConfigSchema(), record, source);
  return { config, changes: changesOf(options, config), command: commandLine(options) };
}

/** What a comparison that is gone on with was asked; only where it runs may change. */
async function requestToResume(folder: string, options: CompareOptions, io: Io): Promise<ComparisonRequest> {
  const [name] = Object.keys(options).filter((key) => !['resume', 'jobs', 'backend', 'plugin'].includes(key));
  if (name !== undefined) {
    throw new ArgumentError(
      `${optionName(name)} cannot change with --resume: a comparison keeps what it was begun with, but for --jobs and --backend.`,
    );
  }
  return loadRequest(folder, { backend: options.backend, notify: noticesTo(io) });
}

/** The command as it would be typed again. */
function commandLine(options: CompareOptions): string {
  const { set = [], ...others } = options;
  const written = Object.entries<unknown>(others).map(([name, value]) => {
    const option = optionName(name);
    if (value === false) return option.replace('--', '--no-');
    if (name === 'plugin')
      return [value]
        .flat()
        .map((path) => `${option} ${shellWord(String(path))}`)
        .join(' ');
    if (name === 'backend') return `${option} ${shellWord(typedBackend(String(value)))}`;
    return value === true
      ? option
      : `${option} ${shellWord(Array.isArray(value) ? value.join(',') : String(value))}`;
  });
  return ['meanflow compare', ...written, ...set.map((text) => `--set ${shellWord(text)}`)].join(' ');
}
