/** The cases that are known, by the pattern of their names: what runs them, or what they wait for. */
import type { ParityRunner } from './parity-case.js';
import { frechetCase } from './frechet.js';
import { unetSchedules } from './schedules.js';
import {
  improvedMeanFlowSampler,
  meanFlowSampler,
  pixelMeanFlowSampler,
  unetSampler,
} from './time-samplers.js';

export interface KnownCase {
  readonly pattern: RegExp;
  /** Whether tensors stand beside the JSON; true unless said otherwise. */
  readonly hasTensors?: boolean;
  readonly run?: ParityRunner;
  /** What a case that cannot be run yet is waiting for. */
  readonly waiting?: string;
}

const NETWORKS: Readonly<Record<string, string>> = {
  mf: 'the DiT of MeanFlow',
  imf: 'the DiT of improved MeanFlow',
  pmf: 'the DiT of pixel MeanFlow',
  unet: 'the DDPM++ U-Net',
};

export const knownCases: readonly KnownCase[] = [
  { pattern: /^mf-sampler$/, run: meanFlowSampler },
  { pattern: /^imf-sampler$/, run: improvedMeanFlowSampler },
  { pattern: /^pmf-sampler$/, run: pixelMeanFlowSampler },
  { pattern: /^unet-sampler$/, run: unetSampler },
  { pattern: /^unet-schedules$/, run: unetSchedules, hasTensors: false },
  { pattern: /^frechet$/, run: frechetCase },
  ...Object.entries(NETWORKS).map(([prefix, network]) => ({
    pattern: new RegExp(`^${prefix}-(dit|fwd|sample|train|params|loss(-[\\w.-]+)?)$`),
    waiting: network,
  })),
  { pattern: /^facts$/, hasTensors: false, waiting: 'the published networks' },
];
