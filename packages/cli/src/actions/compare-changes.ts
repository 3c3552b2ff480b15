/**
 * What the options of `meanflow compare` change of the recipes: of all runs, or by `--set digits:…` of those on a data set, by
 * `--set meanflow:…` of those of a method, or of both. Methods are compared on the same data with the same network, steps and batches,
 * so of a method only what belongs to it changes.
 */
import { ArgumentError } from '@meanflow/core';
import { didYouMean, quoted } from '@meanflow/core/validation';
import {
  type Assignment,
  askedRunSchema,
  type ComparisonConfig,
  readAssignment,
} from '@meanflow/runs/command';
import type { RunChange } from '@meanflow/runs/node';
import { type CompareOptions, changeOptions, moreChangeOptions } from '../commands/compare.js';
import { layerOf } from '../commands/config-options.js';

/** Whose runs are meant. */
type Whose = Pick<RunChange, 'data' | 'method'>;

/** Fields that runs of a comparison have by its own options. */
const COMPARED = { data: '--data', method: '--method', seed: '--seeds', backend: '--backend' } as const;
/** Fields of runs that no comparison has. */
const ALONE = ['recipe', 'init'];
/** Fields that may be a method's own. */
const OF_METHOD = ['objective', 'network', 'sampling', 'width', 'depth'];

/**
 * The changes, those of more runs first.
 *
 * @throws {ArgumentError} when one is of no run of the comparison, or there is no such field
 */
export function changesOf(options: CompareOptions, config: ComparisonConfig): readonly RunChange[] {
  const sets = (options.set ?? []).map((text) => readChange(text, config));
  const of = (wanted: Whose): readonly Assignment[] =>
    sets
      .filter(({ whose }) => whose.data === wanted.data && whose.method === wanted.method)
      .map(({ set }) => set);
  const general = layerOf([...changeOptions, ...moreChangeOptions], options, of({}));
  const particular = [
    ...config.data.map((data) => ({ data })),
    ...config.methods.map((method) => ({ method })),
    ...config.data.flatMap((data) => config.methods.map((method) => ({ data, method }))),
  ]
    .map((whose) => ({ ...whose, ...layerOf([], {}, of(whose)) }))
    .filter(({ record }) => Object.keys(record).length > 0);
  return [general, ...particular];
}

function readChange(
  text: string,
  config: ComparisonConfig,
): { readonly whose: Whose; readonly set: Assignment } {
  const colon = text.slice(0, Math.max(0, text.indexOf('='))).lastIndexOf(':');
  const whose = colon < 0 ? {} : whoseRuns(text.slice(0, colon), config);
  const set = readAssignment(text.slice(colon + 1), askedRunSchema(), text.slice(0, colon + 1));
  const [field = ''] = set.keys;
  const option = Object.entries(COMPARED).find(([name]) => name === field)?.[1];
  if (option !== undefined) throw new ArgumentError(`${set.source}: a comparison has ${option} for it.`);
  if (ALONE.includes(field)) {
    throw new ArgumentError(
      `${set.source}: a comparison trains by the recipe of each data set, from the beginning; "meanflow train" takes --${field}.`,
    );
  }
  if (whose.method !== undefined && !OF_METHOD.includes(field)) {
    throw new ArgumentError(
      `${set.source}: methods are compared on the same data in the same way; ${OF_METHOD.join(', ')} may be one method's own.`,
    );
  }
  return { whose, set };
}

/** `digits`, `meanflow` or `digits:meanflow`. */
function whoseRuns(name: string, { data, methods }: ComparisonConfig): Whose {
  if (data.includes(name)) return { data: name };
  const method = methods.find((each) => name === each || name.endsWith(`:${each}`));
  if (method === name) return { method };
  const rest = method && name.slice(0, -method.length - 1);
  if (rest !== undefined && data.includes(rest)) return { data: rest, method };
  const wrong = rest ?? name;
  const known = [...data, ...methods];
  throw new ArgumentError(
    `--set ${name}: nothing that is compared is called ${quoted(wrong)}.${didYouMean(wrong, known)} There are ${known.join(', ')}.`,
  );
}
