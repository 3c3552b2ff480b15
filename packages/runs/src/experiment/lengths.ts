/**
 * How runs are laid over each other, where a field may be said in one way or another: how long a run is, in updates or in passes over
 * the data, and which averages it keeps. What is said last holds; passes become updates when the data is known.
 */
import { ArgumentError } from '@meanflow/core';
import { problemAt, type FieldPath, type ValueSource } from '@meanflow/core/validation';
import type { Dataset } from '@meanflow/data';
import { recipeSteps } from '@meanflow/models/published';
import { isRecord, merge, type JsonRecord } from '../config/merge.js';
import type { AskedRun, RunConfig } from '../config/schema.js';

/** `changes` over `base`, where what is said in one way replaces what was said in the other. */
export function mergeRuns(base: unknown, changes: unknown): JsonRecord {
  const below = without(base, changes, ['steps', 'epochs']);
  if (!isRecord(below) || !isRecord(changes)) return merge(below, changes) as JsonRecord;
  const warmUps = ['warmUpSteps', 'warmUpEpochs'];
  const merged = merge(
    {
      ...below,
      ...('optimizer' in below && { optimizer: without(below.optimizer, changes.optimizer, warmUps) }),
      ...('ema' in below && {
        ema: replacesAverages(changes) ? omit(below.ema, ['decays', 'halfLives']) : below.ema,
      }),
    },
    changes,
  );
  return merged as JsonRecord;
}

/** Whether averages are named that are to be kept, and no others. */
function replacesAverages({ average }: JsonRecord): boolean {
  return [average].flat().some((name) => typeof name === 'number');
}

function without(base: unknown, changes: unknown, units: readonly string[]): unknown {
  const replaces = isRecord(changes) && units.some((unit) => changes[unit] !== undefined);
  return replaces ? omit(base, units) : base;
}

function omit(value: unknown, names: readonly string[]): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

/** A field that says how long something is, where it does. */
interface Length {
  readonly path: FieldPath;
  readonly value: number | undefined;
}

/**
 * The run with its lengths in updates. Of every pass the last, incomplete batch is left out of the count, as in published code.
 *
 * @throws {ArgumentError} when a length is missing or said twice, or passes are asked of data that has no rows
 */
export function withSteps(
  asked: AskedRun,
  { name, sizes }: Dataset,
  source: string | ValueSource,
): RunConfig {
  const { epochs, width: _, depth: __, average: ___, ...run } = asked;
  const { batch } = run;
  const wrong = (path: FieldPath, problem: string): ArgumentError =>
    new ArgumentError(problemAt(source, path, problem));
  const stepsOf = (steps: Length, passes: Length): number => {
    if (steps.value !== undefined && passes.value !== undefined) {
      throw wrong(steps.path, 'expected updates or passes over the data, got both.');
    }
    if (passes.value === undefined) {
      if (steps.value === undefined) throw wrong(steps.path, 'expected a number of updates, got nothing.');
      return steps.value;
    }
    if (sizes === undefined) {
      throw wrong(
        passes.path,
        `the data "${name}" is drawn afresh and has no passes: give a number of updates.`,
      );
    }
    if (sizes.train < batch) {
      throw wrong(
        ['batch'],
        `expected at most the ${sizes.train} rows that "${name}" has to learn from, got ${batch}: a pass is no whole batch.`,
      );
    }
    return recipeSteps({ epochs: passes.value }, sizes.train, batch);
  };
  const { warmUpEpochs, ...optimizer } = asked.optimizer;
  const warmUpSteps = stepsOf(
    { path: ['optimizer', 'warmUpSteps'], value: optimizer.warmUpSteps },
    { path: ['optimizer', 'warmUpEpochs'], value: warmUpEpochs },
  );
  const steps = stepsOf({ path: ['steps'], value: run.steps }, { path: ['epochs'], value: epochs });
  return {
    ...run,
    steps: Math.max(1, steps),
    optimizer: { ...optimizer, warmUpSteps },
  };
}
