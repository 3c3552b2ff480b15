/** The cases that are known, by the pattern of their names: what runs them, or what they wait for. */
import type { ParityRunner } from './parity-case.js';
import { frechetCase } from './frechet.js';
import { unetSchedules } from './schedules.js';
import { publishedFacts } from './published-facts.js';
import { transformerParameters } from './published-names.js';
import { transformerLoss } from './transformer-losses.js';
import { inContextOutputs, meanFlowOutputs } from './transformer-outputs.js';
import { transformerSamples } from './transformer-samples.js';
import { transformerTraining } from './transformer-training.js';
import {
  improvedMeanFlowSampler,
  meanFlowSampler,
  pixelMeanFlowSampler,
  unetSampler,
} from './time-samplers.js';
import { unetLoss, unetOutputs } from './unet-cases.js';
import { unetParameters } from './unet-facts.js';

export interface KnownCase {
  readonly pattern: RegExp;
  /** Whether tensors stand beside the JSON; true unless said otherwise. */
  readonly hasTensors?: boolean;
  readonly run: ParityRunner;
}

const families = ['mf', 'imf', 'pmf'] as const;

export const knownCases: readonly KnownCase[] = [
  { pattern: /^mf-sampler$/, run: meanFlowSampler },
  { pattern: /^imf-sampler$/, run: improvedMeanFlowSampler },
  { pattern: /^pmf-sampler$/, run: pixelMeanFlowSampler },
  { pattern: /^unet-sampler$/, run: unetSampler },
  { pattern: /^unet-schedules$/, run: unetSchedules, hasTensors: false },
  { pattern: /^frechet$/, run: frechetCase },
  { pattern: /^mf-dit$/, run: meanFlowOutputs },
  { pattern: /^imf-dit$/, run: inContextOutputs('imf') },
  { pattern: /^pmf-dit$/, run: inContextOutputs('pmf') },
  ...families.flatMap((family) => [
    { pattern: new RegExp(`^${family}-loss(-[\\w.-]+)?$`), run: transformerLoss(family) },
    { pattern: new RegExp(`^${family}-sample$`), run: transformerSamples(family) },
    { pattern: new RegExp(`^${family}-train$`), run: transformerTraining(family) },
    { pattern: new RegExp(`^${family}-params$`), run: transformerParameters(family) },
  ]),
  { pattern: /^facts$/, run: publishedFacts, hasTensors: false },
  { pattern: /^unet-fwd$/, run: unetOutputs },
  { pattern: /^unet-loss(-[\w.-]+)?$/, run: unetLoss },
  { pattern: /^unet-params$/, run: unetParameters },
];
