/** `meanflow evaluate`: how good a trained model's samples are, at several numbers of network evaluations. */
import { objectives } from '@meanflow/models';
import { isModelFile } from '@meanflow/checkpoints/node';
import { ArgumentError } from '@meanflow/core';
import { judge } from '@meanflow/runs/node';
import { countText, isSampleFile } from '@meanflow/runs/command';
import type { EvaluateOptions } from '../commands/evaluate.js';
import { keysOf } from '../commands/config-options.js';
import { folderOptions, pictureOptions } from '../commands/data-options.js';
import { firstGiven } from '../commands/option-name.js';
import { showClassifierProgress, type ClassifierProgress } from '../terminal/classifier-progress.js';
import { noticesTo, type Io } from '../terminal/io.js';
import { scoresTable } from '../terminal/scores.js';

const withFeatures = [
  'statistics',
  ...keysOf([...folderOptions, ...pictureOptions]),
  'vae',
  'featuresRange',
  'featuresLayout',
  'featuresSize',
  'featuresOutput',
  'logitsOutput',
];

export async function evaluate(run: string, options: EvaluateOptions, io: Io): Promise<void> {
  const stray = firstGiven(options, withFeatures);
  if (stray !== undefined) {
    throw new ArgumentError(`${stray} goes with --features, which names the ONNX file to judge by.`);
  }
  if (isSampleFile(run) || (await isModelFile(run))) {
    throw new ArgumentError(
      `"${run}" was not trained here: it is judged by a feature extractor in an ONNX file, --features, against --statistics or --data.`,
    );
  }
  const {
    backend,
    nfe,
    samples,
    metrics: named,
    seed,
    guidance,
    guidanceInterval,
    labels,
    average,
    data,
  } = options;
  let progress: ClassifierProgress | undefined;
  const { model, dataset, metrics, rows, floor, classifier } = await judge(run, {
    ...{ backend, nfe, samples, metrics: named, seed, guidance, guidanceInterval, labels, average, data },
    classifier: options.classifier,
    notify: noticesTo(io),
    onModel: ({ notes }, { name }) => {
      for (const note of notes) io.err(`${note}\n`);
      progress = showClassifierProgress(name, io, undefined);
    },
    onProgress: (made) => progress?.onProgress(made),
    onNotice: (sentence) => progress?.onNotice(sentence),
  }).finally(() => progress?.stop());
  const { config, step } = model;
  const judgedSamples = config.evaluation.samples;
  if (options.json) {
    const results = rows.map((row) => ({
      nfe: row.nfe,
      solver: config.sampling.solver,
      ...(row.guidance === undefined ? {} : { guidance: row.guidance }),
      metrics: row.scores,
    }));
    const { params: _, ...judging } = classifier?.model ?? { params: undefined };
    const content = {
      data: dataset.name,
      method: config.method,
      step,
      samples: judgedSamples,
      ...(classifier === undefined ? {} : { classifier: judging }),
      floor,
      results,
    };
    io.out(`${JSON.stringify(content, null, 2)}\n`);
    return;
  }
  const { title } = objectives.get(config.method);
  io.err(`${title} on ${dataset.name}, step ${countText(step)}, ${countText(judgedSamples)} samples\n`);
  const table = rows.map((row) => ({ ...row, name: title }));
  io.out(scoresTable(metrics, table, floor));
}
