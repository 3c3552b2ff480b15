/** `meanflow evaluate`: how good a trained model's samples are, at several numbers of network evaluations. */
import { createSampler } from '@meanflow/samplers';
import type { Command } from 'commander';
import { DEFAULT_BACKEND, findBackend } from '../backends.js';
import { createJudge, scoreModel } from '../experiment/evaluation.js';
import { loadModel } from '../experiment/model.js';
import { openDataOf, usesTwoEvaluations } from '../experiment/resolve.js';
import { stepsFor } from '../experiment/solvers.js';
import { methods } from '../methods.js';
import { countText } from '../report/numbers.js';
import { scoresTable } from '../terminal/scores.js';
import type { Io } from '../terminal/io.js';
import { withBackend, wholeNumber, wholeNumbers } from './options.js';

interface EvaluateOptions {
  readonly nfe?: readonly number[];
  readonly samples?: number;
  readonly seed: number;
  readonly backend?: string;
  readonly json?: boolean;
}

export function addEvaluate(program: Command, io: Io): void {
  const command = program
    .command('evaluate')
    .summary('measure the samples of a trained model')
    .description(
      'Measure the samples of a run or a checkpoint against data that it was not trained on. The last row is the noise floor: what ' +
        'fresh data scores against that data.',
    )
    .argument('<run>', 'a run folder, or a checkpoint (.safetensors)')
    .option('--nfe <list>', 'network evaluations for each sample, such as 1,2,4', wholeNumbers(1))
    .option('--samples <n>', 'how many samples to draw', wholeNumber(2))
    .option('--seed <n>', 'of the noise and of the reference data', wholeNumber(0), 0)
    .option('--json', 'print JSON instead of a table')
    .addHelpText(
      'after',
      `
Examples:
  $ meanflow evaluate runs/8-gaussians-meanflow-seed-0
  $ meanflow evaluate runs/digits/checkpoints/step-00002000.safetensors --nfe 1,2,8 --json`,
    );
  withBackend(command).action((run: string, options: EvaluateOptions) => evaluate(run, options, io));
}

async function evaluate(run: string, options: EvaluateOptions, io: Io): Promise<void> {
  const { model: loaded } = await loadModel(run);
  const samples = options.samples ?? loaded.config.evaluation.samples;
  const config = { ...loaded.config, evaluation: { ...loaded.config.evaluation, samples } };
  const model = { ...loaded, config };
  const nfe = options.nfe ?? config.sampling.nfe;
  nfe.forEach((evaluations) => stepsFor(config.sampling, evaluations, usesTwoEvaluations(config)));
  const dataset = await openDataOf(config);
  const backend = await findBackend(options.backend ?? DEFAULT_BACKEND).open();
  try {
    const sampler = createSampler(backend, model.network);
    const judge = createJudge(dataset, config, options.seed);
    const rows = await scoreModel(sampler, model, judge, { seed: options.seed, nfe });
    const floor = await judge.floor();
    await sampler.dispose();
    if (options.json) {
      const results = rows.map((row) => ({
        nfe: row.nfe,
        solver: config.sampling.solver,
        metrics: row.scores,
      }));
      const content = {
        data: dataset.name,
        method: config.method,
        step: model.step,
        samples,
        floor,
        results,
      };
      io.out(`${JSON.stringify(content, null, 2)}\n`);
      return;
    }
    const { title } = methods[config.method];
    io.err(`${title} on ${dataset.name}, step ${countText(model.step)}, ${countText(samples)} samples\n`);
    io.out(
      scoresTable(
        judge.metrics,
        rows.map((row) => ({ name: title, nfe: row.nfe, scores: row.scores })),
        floor,
      ),
    );
  } finally {
    await backend.dispose();
  }
}
