/**
 * Whether a checkpoint belongs to the run in whose folder it lies. A checkpoint carries the configuration that it was made
 * with: what decides the training must be what config.json says, and what else has changed since is named.
 */
import { isDeepStrictEqual } from 'node:util';
import { DataError } from '@meanflow/core';
import { printableJson, ownValue } from '@meanflow/core/validation';
import type { Checkpoint } from '@meanflow/training';
import type { RunConfig } from '../config/schema.js';
import { isRecord } from '../config/merge.js';

/** What changes no parameter of the trained network. */
export const incidental = [
  'backend',
  'logEvery',
  'checkpointEvery',
  'stepsPerRun',
  'accumulate',
  'memory',
  'sampling',
  'evaluation',
  'onDivergence',
  'plugins',
] as const satisfies readonly (keyof RunConfig)[];

/** What may change when a run goes on, and is said then. */
const changeable: readonly string[] = [...incidental, 'steps', 'optimizer', 'recipe'];

/** How many differences are listed. */
const LISTED = 6;
/** How many characters of a value. */
const LONGEST_VALUE = 60;

/** A field that differs. */
interface Difference {
  /** Such as `objective.weight.power`. */
  readonly path: string;
  readonly made: unknown;
  readonly now: unknown;
}

/**
 * @param checkpoint of which `made` is the configuration
 * @param config what config.json says now
 * @param source config.json, for messages
 * @returns what has changed since, as a sentence; undefined where nothing has
 * @throws {DataError} when something else has changed than may: it is another run's
 */
export function compareWithRun(
  checkpoint: Pick<Checkpoint, 'source' | 'step'>,
  made: RunConfig,
  config: RunConfig,
  source: string,
): string | undefined {
  // Runs of earlier versions did not record how their data were read, and do when a comparison goes on with them.
  const { reading, ...rest } = config;
  const now = made.reading === undefined ? rest : { ...rest, reading };
  const found = [...differences(withoutPath(made, config), withoutPath(now, made), '')];
  const decisive = found.filter(({ path }) => !changeable.includes(path.split('.')[0]!));
  if (decisive.length > 0) {
    throw new DataError(
      `${checkpoint.source} does not belong to this run, or ${source} was changed: it was made with ${list(decisive)}. ` +
        'Move the checkpoint away, or put back what was changed.',
    );
  }
  if (checkpoint.step > config.steps) {
    throw new DataError(
      `${checkpoint.source} does not belong to this run, or ${source} was changed: it is at step ${checkpoint.step}, and the run ` +
        `has ${config.steps}. Move the checkpoint away, or put back what was changed.`,
    );
  }
  return found.length === 0
    ? undefined
    : `${source} has changed since step ${checkpoint.step}, which was made with ${list(found)}.`;
}

function list(found: readonly Difference[]): string {
  const value = (of: unknown): string => (of === undefined ? 'nothing' : printableJson(of, LONGEST_VALUE));
  const texts = found
    .slice(0, LISTED)
    .map(({ path, made, now }) => `${path} ${value(made)} (now ${value(now)})`);
  const more = found.length > LISTED ? `, and ${found.length - LISTED} more` : '';
  return `${texts.join(', ')}${more}`;
}

/** Data of equal content are the same wherever they lie. */
function withoutPath({ data, dataPaths: _, ...config }: RunConfig, { digest }: RunConfig): object {
  return digest !== undefined && digest === config.digest ? config : { data, ...config };
}

function* differences(made: unknown, now: unknown, path: string): Generator<Difference> {
  if (isRecord(made) && isRecord(now)) {
    for (const key of new Set([...Object.keys(made), ...Object.keys(now)])) {
      yield* differences(ownValue(made, key), ownValue(now, key), path === '' ? key : `${path}.${key}`);
    }
  } else if (!isDeepStrictEqual(made, now)) yield { path, made, now };
}
