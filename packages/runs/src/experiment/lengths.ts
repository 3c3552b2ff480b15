/**
 * How long a run is: recipes say it in updates or in passes over the data, and so may a configuration file and the command line.
 * What is said last holds; passes become updates when the data is known.
 */
import { ArgumentError } from '@meanflow/core';
import type { Dataset } from '@meanflow/data';
import { recipeSteps } from '@meanflow/models';
import { isRecord, merge, type JsonRecord } from '../config/merge.js';
import type { ConfigSource } from '../config/read-file.js';
import type { AskedRun, RunConfig } from '../config/schema.js';

/** `changes` over `base`, where a length replaces the one that is said in the other unit. */
export function mergeRuns(base: unknown, changes: unknown): JsonRecord {
  const merged = merge(without(base, changes, ['steps', 'epochs']), changes) as JsonRecord;
  if (!isRecord(base) || !isRecord(changes) || !isRecord(merged.optimizer)) return merged;
  const optimizer = merge(
    without(base.optimizer, changes.optimizer, ['warmUpSteps', 'warmUpEpochs']),
    changes.optimizer,
  );
  return { ...merged, optimizer };
}

function without(base: unknown, changes: unknown, units: readonly string[]): unknown {
  if (!isRecord(base) || !isRecord(changes) || units.every((unit) => changes[unit] === undefined))
    return base;
  return Object.fromEntries(Object.entries(base).filter(([key]) => !units.includes(key)));
}

/**
 * The run with its lengths in updates. Of every pass the last, incomplete batch is left out of the count, as in published code.
 *
 * @throws {ArgumentError} when a length is missing or said twice, or passes are asked of data that has no rows
 */
export function withSteps(
  asked: AskedRun,
  { name, sizes }: Dataset,
  source: string | ConfigSource,
): RunConfig {
  const { epochs, ...run } = asked;
  const { batch } = run;
  const stepsOf = (field: string, steps: number | undefined, passes: number | undefined): number => {
    if (steps !== undefined && passes !== undefined) {
      throw new ArgumentError(`${source}: ${field}: expected updates or passes over the data, got both.`);
    }
    if (passes === undefined) {
      if (steps === undefined)
        throw new ArgumentError(`${source}: ${field}: expected a number of updates, got nothing.`);
      return steps;
    }
    if (sizes === undefined) {
      throw new ArgumentError(
        `${source}: ${field}: the data "${name}" is drawn afresh and has no passes: give a number of updates.`,
      );
    }
    if (sizes.train < batch) {
      throw new ArgumentError(
        `${source}: batch: expected at most the ${sizes.train} rows that "${name}" has to learn from, got ${batch}: a pass is no whole batch.`,
      );
    }
    return recipeSteps({ epochs: passes }, sizes.train, batch);
  };
  const { warmUpEpochs, ...optimizer } = asked.optimizer;
  const warmUpSteps = stepsOf('optimizer.warmUpSteps', optimizer.warmUpSteps, warmUpEpochs);
  return {
    ...run,
    steps: Math.max(1, stepsOf('steps', run.steps, epochs)),
    optimizer: { ...optimizer, warmUpSteps },
  };
}
