/** The published samplers of intervals, by paper. */
import type { IntervalSampler } from './intervals.js';

/** The interval samplers of the published training recipes. */
export const intervalPresets = {
  /**
   * MeanFlow on ImageNet (arXiv 2505.13447, table 4; reference code `sample_tr`): r ≠ t on the last quarter.
   */
  meanflow: { t: { kind: 'logit-normal', mean: -0.4, std: 1 }, equalShare: 0.75 },
  /** Improved MeanFlow (arXiv 2512.02012; reference code `sample_tr`): r ≠ t on the last half. */
  'improved-meanflow': { t: { kind: 'logit-normal', mean: -0.4, std: 1 }, equalShare: 0.5 },
  /** Pixel MeanFlow on ImageNet (arXiv 2601.22158; reference code `sample_tr`, configuration of H/16). */
  'pixel-meanflow': {
    t: { kind: 'logit-normal', mean: 0, std: 0.8 },
    uniformShare: 0.1,
    equalShare: 0.5,
    equalTime: 'drawn',
  },
  /**
   * MeanFlow on CIFAR-10 (arXiv 2505.13447, appendix A; PyTorch code, sampler v0): r ≠ t on three rows in
   * four.
   */
  'cifar10-v0': { t: { kind: 'logit-normal', mean: -2, std: 2 }, equalShare: 0.25, equalRows: 'coin' },
  /** The later CIFAR-10 recipe (PyTorch code, sampler v1): t and r each from a distribution of its own. */
  'cifar10-v1': {
    t: { kind: 'logit-normal', mean: -0.6, std: 1.6 },
    r: { kind: 'logit-normal', mean: -4, std: 1.6 },
    order: 'clamp',
    equalShare: 0.25,
    equalRows: 'coin',
  },
} as const satisfies Readonly<Record<string, IntervalSampler>>;
