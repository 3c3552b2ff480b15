/**
 * How the published transformers were trained on ImageNet, as plain JSON with the source beside each value. "MF", "iMF" and
 * "pMF" are the papers (arXiv 2505.13447, 2512.02012 and 2601.22158); file names are those of the code that their authors
 * published: github.com/Gsunshine/meanflow, github.com/Lyy-iiis/imeanflow and github.com/Lyy-iiis/pMF, where the files of H
 * are on the branch hsdp.
 */
import { intervalPresets, type GuidanceCondition } from '@meanflow/samplers';
import type { DitConfig } from '../networks/dit.js';
import type { ImfDitConfig } from '../networks/imf-dit.js';
import type { PmfDitConfig } from '../networks/pmf-dit.js';
import { networkPreset } from '../networks/presets.js';
import type { ImprovedMeanFlowConfig } from '../objectives/improved-meanflow.js';
import type { MeanFlowConfig } from '../objectives/meanflow.js';
import {
  improvedMeanFlowEvaluation,
  improvedMeanFlowPreset,
  meanFlowPresets,
} from '../objectives/presets.js';
import type { PublishedRecipe } from './recipe.js';

type MeanFlowRecipe = PublishedRecipe<DitConfig, MeanFlowConfig>;
type ImprovedRecipe = PublishedRecipe<ImfDitConfig, ImprovedMeanFlowConfig>;
type PixelRecipe = PublishedRecipe<PmfDitConfig, ImprovedMeanFlowConfig>;

/** Beside the guidance, which `meanFlowPresets` has by size (MF table 4), all sizes are trained alike. */
function meanFlow(network: string, objective: keyof typeof meanFlowPresets, epochs: number): MeanFlowRecipe {
  return {
    network: networkPreset(network) as DitConfig,
    objective: meanFlowPresets[objective],
    optimizer: {
      kind: 'adam', // MF table 4: Adam; train.py: optax.adamw without decay
      learningRate: 1e-4, // MF table 4; configs/default.py
      beta1: 0.9, // MF table 4
      beta2: 0.95, // MF table 4; configs/default.py
      epsilon: 1e-8, // the default of optax.adamw
      weightDecay: 0, // MF table 4; train.py
    },
    ema: { decay: 0.9999, every: 1 }, // MF table 4; configs/default.py
    batch: 256, // MF table 4; configs/default.py
    length: { epochs },
  };
}

/** MeanFlow, on latents of 256². */
export const meanFlowRecipes = {
  'B/4': meanFlow('dit-b-4', 'B/4', 240), // configs/run_b4.yml; MF trains its ablations for 80 epochs
  'B/2': meanFlow('dit-b-2', 'B/2', 240), // MF table 4
  'M/2': meanFlow('dit-m-2', 'M/2', 240), // MF table 4
  'L/2': meanFlow('dit-l-2', 'L/2', 240), // MF table 4
  'XL/2': meanFlow('dit-xl-2', 'XL/2', 240), // MF table 4
  'XL/2+': meanFlow('dit-xl-2', 'XL/2+', 1000), // MF table 4
} as const satisfies Readonly<Record<string, MeanFlowRecipe>>;

function improved(size: 'B/2' | 'M/2' | 'L/2' | 'XL/2'): ImprovedRecipe {
  const name = `imf-dit-${size.toLowerCase().replace('/', '-')}-train`;
  return {
    network: networkPreset(name) as ImfDitConfig,
    // The density of ω falls with power 1 in configs/train_config.yml; iMF, appendix A, names 1 and 2.
    objective: improvedMeanFlowPreset,
    optimizer: {
      kind: 'adam', // utils/trainstate_util.py: optax.adamw without decay
      learningRate: 1e-4, // iMF table 4; configs/train_config.yml
      beta1: 0.9, // the default of optax.adamw
      beta2: 0.95, // iMF table 4; configs/train_config.yml
      epsilon: 1e-8, // the default of optax.adamw
      weightDecay: 0, // utils/trainstate_util.py
      warmUp: {
        epochs: 10, // iMF table 4; configs/train_config.yml
        from: 0, // utils/lr_utils.py
      },
    },
    ema: { decay: 0.9999, every: 1 }, // iMF table 4; configs/default.py
    batch: 1024, // iMF table 4; configs/train_config.yml
    length: { epochs: 640 }, // iMF table 4; configs/train_config.yml
    evaluation: improvedMeanFlowEvaluation[size], // configs/eval_config.yml
  };
}

/** Improved MeanFlow, on latents of 256². */
export const improvedMeanFlowRecipes = {
  'B/2': improved('B/2'),
  'M/2': improved('M/2'),
  'L/2': improved('L/2'),
  'XL/2': improved('XL/2'),
} as const satisfies Readonly<Record<string, ImprovedRecipe>>;

/** What differs between the sizes of pixel MeanFlow. */
interface PixelSettings {
  /** Of the logit-normal times. */
  readonly mean: number;
  /** Share of rows with uniform times. */
  readonly uniformShare: number;
  /** The density of ω falls as ω^−power. */
  readonly power: number;
  /** Perceptual losses apply below this time. */
  readonly largestTime: number;
  readonly evaluation: GuidanceCondition;
  /** Half-life of the average that was evaluated, in images. */
  readonly evaluated: number;
}

function pixel(network: string, settings: PixelSettings): PixelRecipe {
  const { mean, uniformShare, power, largestTime, evaluation, evaluated } = settings;
  return {
    network: networkPreset(`${network}-train`) as PmfDitConfig,
    objective: {
      ...improvedMeanFlowPreset, // pmf.py: the loss of improved MeanFlow; configs/default.py: p 1, c 0.01, label drop 0.1
      intervals: {
        ...intervalPresets['pixel-meanflow'], // configs/pMF_*_config.yml: deviation 0.8; pmf.py: r = t on half, t as drawn
        t: { kind: 'logit-normal', mean, std: 0.8 },
        uniformShare,
      },
      guidance: { maxScale: 8, power }, // configs/default.py: cfg_max 7
    },
    optimizer: {
      kind: 'muon', // utils/trainstate_util.py: optax.contrib.muon
      learningRate: 1e-3, // configs/pMF_*_config.yml
      beta: 0.95, // the default of optax.contrib.muon
      adam: {
        beta1: 0.9, // the default of optax.contrib.muon
        beta2: 0.95, // configs/pMF_*_config.yml
        epsilon: 1e-8, // the default of optax.contrib.muon
      },
    },
    ema: {
      halfLives: [500_000, 1_000_000, 2_000_000], // configs/pMF_*_config.yml, in thousands
      rampUpShare: 0.05, // utils/ema_util.py
      evaluated, // configs/eval_config.yml
    },
    batch: 1024, // configs/pMF_*_config.yml
    length: { epochs: 320 }, // configs/pMF_*_config.yml
    perceptual: { lpips: 0.4, convnext: 0.1, largestTime }, // configs/pMF_*_config.yml; `convnext_max_t` in those of H
    evaluation,
  };
}

/** Pixel MeanFlow, on pixels: 256² for /16, 512² for /32. Each line is one of configs/pMF_*_config.yml. */
export const pixelMeanFlowRecipes = {
  'B/16': pixel('pmf-dit-b-16', {
    mean: 0.8,
    uniformShare: 0,
    power: 1,
    largestTime: 0.8,
    evaluation: { omega: 8.5, tMin: 0.1, tMax: 0.7 }, // configs/eval_config.yml
    evaluated: 2_000_000, // configs/eval_config.yml
  }),
  'B/32': pixel('pmf-dit-b-32', {
    mean: 0.8,
    uniformShare: 0,
    power: 1,
    largestTime: 0.8,
    evaluation: { omega: 6.5, tMin: 0.1, tMax: 0.7 }, // configs/eval_config.yml
    evaluated: 2_000_000, // configs/eval_config.yml
  }),
  'L/16': pixel('pmf-dit-l-16', {
    mean: 0.8,
    uniformShare: 0,
    power: 2,
    largestTime: 0.8,
    evaluation: { omega: 7, tMin: 0.2, tMax: 0.7 }, // configs/eval_config.yml
    evaluated: 1_000_000, // configs/eval_config.yml
  }),
  'L/32': pixel('pmf-dit-l-32', {
    mean: 0,
    uniformShare: 0,
    power: 1,
    largestTime: 0.6,
    evaluation: { omega: 7.5, tMin: 0.2, tMax: 0.6 }, // configs/eval_config.yml
    evaluated: 2_000_000, // configs/eval_config.yml
  }),
  'H/16': pixel('pmf-dit-h-16', {
    mean: 0,
    uniformShare: 0.1,
    power: 1,
    largestTime: 0.6,
    evaluation: { omega: 7, tMin: 0.2, tMax: 0.6 }, // configs/eval_config.yml
    evaluated: 1_000_000, // configs/eval_config.yml
  }),
  'H/32': pixel('pmf-dit-h-32', {
    mean: 0,
    uniformShare: 0.1,
    power: 1,
    largestTime: 0.6,
    evaluation: { omega: 5.5, tMin: 0.1, tMax: 0.6 }, // configs/eval_config.yml
    evaluated: 500_000, // configs/eval_config.yml
  }),
} as const satisfies Readonly<Record<string, PixelRecipe>>;
