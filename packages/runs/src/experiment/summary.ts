/** From finished runs to the results of a data set: medians over seeds, facts in words, loss curves. */
import { leading } from '@meanflow/core/validation';
import { networks, objectives, type NetworkFacts } from '@meanflow/models';
import type { Dataset } from '@meanflow/data';
import type { Metric } from '@meanflow/metrics';
import { averageText } from '../config/optimizer-schema.js';
import { type RunConfig } from '../config/schema.js';
import { countText, durationText, median } from '../report/numbers.js';
import type { DatasetResults, MethodResults, MetricRow } from '../report/results.js';
import { averageNote } from './averages.js';
import { accuracyText, type JudgingClassifier } from './classifier.js';
import type { Scores } from './evaluation.js';
import type { FinishedRun } from './one-run.js';
import { shortRunNote } from './short-run.js';

/**
 * The results of a data set.
 *
 * @param floors the noise floor at each seed
 */
export function summarise(
  planned: {
    readonly dataset: Dataset;
    readonly description: string;
    readonly classifier: JudgingClassifier | undefined;
  },
  metrics: readonly Metric[],
  floors: readonly Scores[],
  finished: readonly FinishedRun[],
): DatasetResults {
  const { classifier } = planned;
  const names = objectives.names.filter((name) => finished.some(({ method }) => method === name));
  const byMethod = names.map((name) => finished.filter(({ method }) => method === name));
  return {
    name: planned.dataset.name,
    description: planned.description,
    configs: Object.fromEntries(byMethod.map(([first]) => [first!.method, first!.config])),
    facts: [...facts(byMethod), ...(classifier === undefined ? [] : [classifierText(classifier)])],
    notes: notesOf(planned.dataset, byMethod),
    metrics: metrics.map(({ name, title, unit, better, description }) => ({
      name,
      title,
      unit,
      better,
      description,
    })),
    floor: overSeeds(floors),
    methods: byMethod.map(methodResults),
  };
}

/** Each once: that the runs were short, and that averages are noise still. */
function notesOf(dataset: Dataset, byMethod: readonly (readonly FinishedRun[])[]): readonly string[] {
  const notes = byMethod.flatMap((runs) => {
    const [{ config }] = leading(runs, 1);
    return [shortRunNote(config, dataset), averageNote(config, config.steps, config.sampling.ema)];
  });
  return [...new Set(notes.filter((note) => note !== undefined))];
}

function methodResults(runs: readonly FinishedRun[]): MethodResults {
  const [first] = leading(runs, 1);
  return {
    method: first.method,
    title: objectives.get(first.method).title,
    parameterCount: first.parameterCount,
    seeds: runs.map(({ seed }) => seed),
    seconds: runs.map(({ seconds }) => seconds),
    stepsPerSecond: median(runs.map(({ stepsPerSecond }) => stepsPerSecond)),
    sampling: first.scores.map(({ nfe }, i) => ({
      nfe,
      solver: first.config.sampling.solver,
      metrics: overSeeds(runs.map(({ scores }) => scores[i]!.scores)),
    })),
    losses: first.metrics.map(({ step, squaredError, loss }) => [step, squaredError ?? loss!]),
  };
}

function overSeeds(scores: readonly Scores[]): MetricRow {
  return Object.fromEntries(
    Object.keys(scores[0]!).map((name) => {
      const values = scores.map((score) => score[name]!);
      return [name, { median: median(values), values }];
    }),
  );
}

function classifierText({ model }: JudgingClassifier): string {
  const { steps, batchSize, seed } = model;
  const training = `${countText(steps)} steps of ${batchSize}, seed ${seed}`;
  return `judged by a classifier (${training}) that is ${accuracyText(model)}`;
}

/** What the methods share, in words. */
function facts(byMethod: readonly (readonly FinishedRun[])[]): string[] {
  const runs = byMethod.map(([first]) => first!);
  const [{ config }] = leading(runs, 1);
  const each = byMethod.map((group) => `${durationText(median(group.map(({ seconds }) => seconds)))}`);
  return [
    `${factsOf(config.network).description}, ${parametersText(runs)}`,
    `${countText(config.steps)} steps of ${countText(config.batch)}`,
    `${config.optimizer.kind === 'muon' ? 'Muon' : 'Adam'} at ${config.optimizer.learningRate}`,
    ...(config.sampling.ema === null
      ? []
      : [`sampled with the average of ${averageText(config.sampling.ema)}`]),
    `${countText(config.evaluation.samples)} samples judged`,
    `trained in ${each.join(' / ')}`,
  ];
}

/** A velocity head is there for training only, but it counts while it is there. */
function parametersText(runs: readonly FinishedRun[]): string {
  const countOf = (withHead: boolean): string[] => {
    const counted = runs.filter(({ config }) => factsOf(config.network).hasVelocityHead === withHead);
    return [...new Set(counted.map(({ parameterCount }) => countText(parameterCount)))];
  };
  const [plain, headed] = [countOf(false), countOf(true)];
  if (headed.length === 0) return `${plain.join(' / ')} parameters`;
  const shared = plain.length === 0 ? '' : `${plain.join(' / ')} parameters, `;
  return `${shared}${headed.join(' / ')} with the velocity head that training needs`;
}

function factsOf(network: RunConfig['network']): NetworkFacts {
  return networks.get(network.kind).facts(network);
}
