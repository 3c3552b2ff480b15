/** What `meanflow train` says of a run: where its learning rate goes when it goes on, what diverged, and what came of it. */
import type { MemoryPlan } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { adoptionText, type AdoptionReport } from '@meanflow/models';
import { divergenceText, type DivergenceAction, type DivergenceReport } from '@meanflow/training';
import { divergencesPath, type RunSummary } from '@meanflow/training/node';
import type { RunConfig } from '@meanflow/runs/node';
import {
  bytesText,
  countText,
  durationText,
  pluginOptions,
  rateText,
  scheduleOf,
  shellWord,
} from '@meanflow/runs/command';
import type { WarmStart } from '@meanflow/runs/node';

/** What a run begins with that does not begin at random, and what became of it. */
export function beginningText({ init, origin }: WarmStart, report: AdoptionReport): string {
  return `It begins with ${init.path} (${origin}). ${adoptionText(report)}`;
}

/**
 * The course of the learning rate, where going on changes it: a schedule that had come to its end, or near it, begins anew in the
 * middle of a longer one. Undefined where nothing changes.
 *
 * @param step updates made
 */
export function courseText(before: RunConfig, config: RunConfig, step: number): string | undefined {
  const [former, next] = leading(
    [before, config].map(({ optimizer, steps }) => scheduleOf(optimizer, steps)),
    2,
  );
  if (before.steps === config.steps && before.optimizer.learningRate === config.optimizer.learningRate) {
    return undefined;
  }
  const { schedule } = config.optimizer;
  const plan =
    before.steps === config.steps
      ? `${countText(config.steps)} steps`
      : `${countText(config.steps)} steps in place of ${countText(before.steps)}`;
  const was = step === 0 ? '' : `it was ${rate(former(step - 1))} at step ${countText(step)}, `;
  const ends =
    schedule === 'constant' ? 'stays there' : `follows its ${schedule} to ${rate(next(config.steps - 1))}`;
  return (
    `Learning rate, over ${plan}: ${was}is ${rate(next(step))} at step ${countText(step + 1)}, and from ` +
    `${step < config.optimizer.warmUpSteps ? 'the end of the warm-up' : 'there'} ${ends}.`
  );
}

function rate(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** What a step takes, and what is computed again for it to be no more than was allowed. */
export function memoryText({ budget, bytes, bytesWithout, recomputed, blocks }: MemoryPlan): string {
  const allowed = `of the ${bytesText(budget)} that it may`;
  const first = recomputed[0];
  if (first === undefined)
    return `Memory: a step takes ${bytesText(bytes)} ${allowed}; nothing is computed twice.`;
  const which = recomputed.length === 1 ? first : `${first} to ${recomputed.at(-1)!}`;
  return (
    `Memory: a step takes ${bytesText(bytes)} ${allowed}, in place of ${bytesText(bytesWithout)}: ${recomputed.length} of ` +
    `${blocks} blocks are computed again in the backward pass (${which}).`
  );
}

/** What is said of a divergence before the run ends with it or goes on. */
export function divergedText(
  report: DivergenceReport,
  action: DivergenceAction,
  { config, folder }: { readonly config: RunConfig; readonly folder: string },
): string {
  if (action === 'skipped') return `Step ${countText(report.step)} was skipped. ${divergenceText(report)}\n`;
  if (action === 'went back') {
    return `${divergenceText(report)}\nGoing back to the last checkpoint, with half the learning rate.\n`;
  }
  const found = `What was found out is in ${divergencesPath(folder)}.`;
  // Where nothing was learnt yet, there is nothing to go on from.
  if (report.cause === 'beginning' || (report.cause === 'data' && report.step === 1)) return `${found}\n`;
  const half = rate((report.learningRate ?? config.optimizer.learningRate) / 2);
  const [option, what] =
    report.cause === 'optimization'
      ? [`--learning-rate ${half}`, 'from before it, more slowly']
      : ['--on-divergence skip', 'without such steps'];
  return `${found} To go on ${what}: npx meanflow train --resume ${again(config, folder)} ${option}\n`;
}

/** What came of a run that was not broken off by an error. */
export function summaryText(
  { step, completed, seconds, stepsPerSecond, samplesPerSecond, checkpoint }: RunSummary,
  config: RunConfig,
  folder: string,
): string {
  const speed =
    stepsPerSecond === 0
      ? ''
      : ` (${rateText(stepsPerSecond)} steps/s, ${rateText(samplesPerSecond)} samples/s)`;
  if (!completed) {
    return (
      `Stopped after step ${countText(step)} of ${countText(config.steps)}. Checkpoint: ${checkpoint ?? 'none'}\n` +
      `Go on with: npx meanflow train --resume ${again(config, folder)}\n`
    );
  }
  return (
    `${countText(step)} steps made, ${durationText(seconds)}${speed}. Checkpoint: ${checkpoint ?? folder}\n` +
    `Now: npx meanflow evaluate ${again(config, folder)}   or: npx meanflow sample ${again(config, folder)}\n`
  );
}

/** A run as a command names it again, with the plug-ins that it cannot be opened without. */
function again(config: RunConfig, folder: string): string {
  return `${shellWord(folder)}${pluginOptions(config)}`;
}
