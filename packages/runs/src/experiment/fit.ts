/** Whether the parts of a run fit together, which no schema of one of them sees. */
import { ArgumentError } from '@meanflow/core';
import { problemAt, type FieldPath, type ValueSource } from '@meanflow/core/validation';
import type { Dataset } from '@meanflow/data';
import { metrics } from '@meanflow/metrics';
import { networks } from '@meanflow/models';
import { hasMatrices } from '@meanflow/models/published';
import { backendNamed } from '../backends.js';
import { averagesOf } from '../config/optimizer-schema.js';
import type { RunConfig } from '../config/schema.js';
import { checkClassifiable } from './classifier.js';
import { stepsFor } from './solvers.js';

/** @throws {ArgumentError} when the parts do not fit together */
export function checkFit(config: RunConfig, dataset: Dataset, source: string | ValueSource): void {
  const { sampling, ema, evaluation, objective, method } = config;
  const wrong = (path: FieldPath, problem: string): ArgumentError =>
    new ArgumentError(problemAt(source, path, problem));
  backendNamed(config.backend);
  evaluation.metrics.forEach((name) => metrics.get(name));
  checkClassifiable(evaluation.metrics, dataset);
  sampling.nfe.forEach((nfe) => stepsFor(sampling, nfe, usesTwoEvaluations(config)));
  if (objective.kind !== method) {
    throw wrong(
      ['objective', 'kind'],
      `expected "${method}", the method of the run, got "${objective.kind}".`,
    );
  }
  const averages = averagesOf(ema);
  if (sampling.ema !== null && !averages.includes(sampling.ema)) {
    throw wrong(
      ['sampling', 'ema'],
      `expected a decay or half-life of ema (${averages.join(', ')}) or null, got ${sampling.ema}; average (--average) says both.`,
    );
  }
  if (config.precision === 'float16' && (config.accumulate ?? 1) > 1) {
    throw wrong(
      ['accumulate'],
      `expected 1 or nothing with precision float16, got ${config.accumulate}: gradients are accumulated in float32 only.`,
    );
  }
  if (config.optimizer.kind === 'muon' && !hasMatrices(config.network.kind)) {
    throw wrong(
      ['optimizer', 'kind'],
      `Muon trains the published networks (${networks.names.filter(hasMatrices).join(', ')}), and this is "${config.network.kind}": ` +
        'use adamw.',
    );
  }
  if (config.conditional && dataset.classCount === undefined) {
    throw new ArgumentError(
      `The data "${dataset.name}" has no classes to condition on: name the label column of a CSV file (--label), or train without ` +
        'classes (--unconditional, or conditional: false in a configuration file).',
    );
  }
  if (config.conditional && !networks.get(config.network.kind).takesClasses) {
    throw wrong(
      [],
      `the network "${config.network.kind}" takes no classes: train without (--unconditional, or conditional: false in a ` +
        'configuration file).',
    );
  }
}

/** Whether each step evaluates the network with and without the class (classifier-free guidance). */
export function usesTwoEvaluations({ sampling, network }: Pick<RunConfig, 'sampling' | 'network'>): boolean {
  return sampling.guidance !== undefined && !networks.get(network.kind).facts(network).takesGuidance;
}
