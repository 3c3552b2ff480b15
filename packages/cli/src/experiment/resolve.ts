/**
 * From what was asked for (a configuration file, the command line) to one run with every default resolved: open the data, take its
 * recipe, lay the changes over it, check. Nothing is written and nothing computed before all of it is right.
 */
import { ArgumentError } from '@meanflow/core';
import type { Dataset } from '@meanflow/data';
import { openDataset } from '@meanflow/data/node';
import { findMetric } from '@meanflow/metrics';
import { z } from 'zod';
import { findBackend } from '../backends.js';
import { merge, type JsonRecord } from '../config/merge.js';
import {
  methodNames,
  runConfigSchema,
  type MethodName,
  type Recipe,
  type RunConfig,
} from '../config/schema.js';
import { validate } from '../config/validate.js';
import { recipeFor } from '../recipes/index.js';
import { checkClassifiable } from './classifier.js';
import { checkDigest, digestOf } from './data-digest.js';
import { stepsFor } from './solvers.js';

/** A run that can begin. */
export interface ResolvedRun {
  readonly config: RunConfig;
  readonly dataset: Dataset;
}

/** What decides the recipe, and so is looked at first. */
const choiceSchema = z.looseObject({
  data: runConfigSchema.shape.data,
  label: runConfigSchema.shape.label,
  heldOut: runConfigSchema.shape.heldOut,
  splitSeed: runConfigSchema.shape.splitSeed,
  method: z.enum(methodNames),
});

const defaults = {
  data: '8-gaussians',
  heldOut: 0.2,
  splitSeed: 0,
  method: 'meanflow',
  backend: 'ort:cpu',
  seed: 0,
  logEvery: 100,
  checkpointEvery: 2000,
} as const;

/**
 * One run.
 *
 * @param changes over the recipe, such as a configuration file's content under the options of the command line
 * @param source what `changes` comes from, for messages
 * @param recipe the data set's own by default
 * @throws {ArgumentError | DataError} when something is unknown, out of range or does not fit
 */
export async function resolveRun(changes: JsonRecord, source: string, recipe?: Recipe): Promise<ResolvedRun> {
  const choice = validate(choiceSchema, merge(defaults, changes), source);
  const { data, label, heldOut, splitSeed: seed } = choice;
  const dataset = await openDataset(data, { heldOut, seed, ...(label === undefined ? {} : { label }) });
  const base = runOf(recipe ?? recipeFor(dataset), choice.method);
  const asked = validate(runConfigSchema, merge(base, changes), source);
  checkFit(asked, dataset, source);
  // Of the file as it is: settings of an earlier run begin a new one.
  const { digest: _, ...config } = asked;
  const digest = await digestOf(data);
  return { config: digest === undefined ? config : { ...config, digest }, dataset };
}

/**
 * The data set of a run that was begun, as its configuration names it.
 *
 * @throws {DataError} when its file is missing, damaged, or has changed since the run began
 */
export async function openDataOf(config: RunConfig): Promise<Dataset> {
  const { data, label, heldOut, splitSeed: seed } = config;
  const dataset = await openDataset(data, { heldOut, seed, ...(label === undefined ? {} : { label }) });
  await checkDigest(config);
  return dataset;
}

/** The run of a method that a recipe describes; not checked yet. */
function runOf(recipe: Recipe, method: MethodName): unknown {
  const { methods, ...shared } = recipe;
  const { objective, network, sampling } = methods[method];
  return merge({ ...defaults, ...shared, method, objective, sampling }, network && { network });
}

/** What no schema sees: whether the parts fit together. */
function checkFit(config: RunConfig, dataset: Dataset, source: string): void {
  const { sampling, ema, evaluation, objective, method } = config;
  findBackend(config.backend);
  evaluation.metrics.forEach(findMetric);
  checkClassifiable(evaluation.metrics, dataset);
  sampling.nfe.forEach((nfe) => stepsFor(sampling, nfe, usesTwoEvaluations(config)));
  if (objective.kind !== method) {
    throw new ArgumentError(
      `${source}: objective.kind: expected "${method}", the method of the run, got "${objective.kind}".`,
    );
  }
  if (sampling.ema !== null && !ema.decays.includes(sampling.ema)) {
    throw new ArgumentError(
      `${source}: sampling.ema: expected one of ema.decays (${ema.decays.join(', ')}) or null, got ${sampling.ema}.`,
    );
  }
  if (config.conditional && dataset.classCount === undefined) {
    throw new ArgumentError(
      `The data "${dataset.name}" has no classes to condition on: name its label column (--label), or set conditional: false.`,
    );
  }
}

/** Whether each step evaluates the network with and without the class (classifier-free guidance). */
export function usesTwoEvaluations({ sampling, network }: Pick<RunConfig, 'sampling' | 'network'>): boolean {
  return sampling.guidance !== undefined && network.guidance !== true;
}
