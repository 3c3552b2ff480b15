/**
 * The cases: a workload, what is done with it, and who takes part. Widths, batches and objectives are those that
 * PyTorch's and JAX's programs in `peers/` repeat; a further case is a line here.
 */
import type { DitConfig, MlpConfig, ObjectiveConfig, SongUNetConfig } from '@meanflow/models';
import { pagePrograms, type PageProgramName } from './browser/messages.js';
import type { ContestantName } from './contestants.js';

export type Objective = 'flow-matching' | 'meanflow' | 'improved-meanflow';

interface CommonFields {
  readonly name: string;
  /** What it is, in a line of the report. */
  readonly title: string;
  readonly network: DitConfig | MlpConfig | SongUNetConfig;
  /** Rows. */
  readonly batch: number;
  readonly contestants: readonly ContestantName[];
  /** What the largest worker is expected to take, in MB: so many live at once as fit. */
  readonly memory: number;
}

/** A train step: loss (with its JVP), gradient, AdamW and one average. */
export interface TrainCase extends CommonFields {
  readonly task: 'train';
  readonly objective: Objective;
}

/** One-step sampling: ε − u(ε, 0, 1). */
export interface SampleCase extends CommonFields {
  readonly task: 'sample';
}

export type Case = TrainCase | SampleCase;

/** The DiT of the cases called w2: 32 × 32 × 3 images, patches of 4, so 64 tokens. */
export const imageDit = (fields: Partial<DitConfig> = {}): DitConfig => ({
  kind: 'dit',
  featureShape: [32, 32, 3],
  patchSize: 4,
  width: 192,
  depth: 6,
  heads: 3,
  embedding: { kind: 'sinusoidal', dimension: 256, scale: 1000 },
  ...fields,
});

const plane: MlpConfig = { kind: 'mlp', featureShape: [2], width: 256, depth: 4 };
const wide = imageDit({ width: 384, heads: 6 });
const base = imageDit({ featureShape: [32, 32, 4], width: 768, depth: 12, heads: 12 });
const unet: SongUNetConfig = {
  ...{ kind: 'song-unet', featureShape: [3, 32, 32], channels: 32, channelMultipliers: [2, 2, 2] },
  ...{ blocks: 1, attentionResolutions: [16] },
};

const native: readonly ContestantName[] = ['meanflow', 'meanflow-rows', 'torch', 'torch-compile', 'torch-fast', 'torch-compile-fast', 'jax']; // prettier-ignore
/** Where nothing has r ≠ t, or nothing is differentiated by t. */
const plain = native.filter((name) => name !== 'meanflow-rows');

export const cases: readonly Case[] = [
  {
    ...{ name: 'w1', task: 'train', objective: 'meanflow', network: plane, batch: 1024, memory: 900 },
    title: 'MeanFlow, an MLP of 4 × 256 (SiLU) on points of the plane, batch 1,024',
    contestants: [...native, 'meanflow-wasm', 'meanflow-tfjs-wasm', 'jax-js'],
  },
  {
    ...{ name: 'w2', task: 'train', objective: 'meanflow', network: imageDit(), batch: 16, memory: 1200 },
    title: 'MeanFlow, a DiT of 6 blocks of width 192 on 32 × 32 × 3 images (64 tokens), batch 16',
    contestants: native,
  },
  {
    ...{ name: 'w2_b32', task: 'train', objective: 'meanflow', network: imageDit(), batch: 32, memory: 1600 },
    title: 'w2 with batch 32',
    contestants: native,
  },
  {
    ...{ name: 'w2_384', task: 'train', objective: 'meanflow', network: wide, batch: 16, memory: 1900 },
    title: 'w2 with width 384 and 6 heads',
    contestants: native,
  },
  {
    ...{ name: 'w2_imf', task: 'train', objective: 'improved-meanflow', network: imageDit(), batch: 16 },
    memory: 1300,
    title: 'w2 with improved MeanFlow (the tangent is u at r = t)',
    contestants: native,
  },
  {
    ...{ name: 'w2_fm', task: 'train', objective: 'flow-matching', network: imageDit(), batch: 16 },
    memory: 1000,
    title: 'w2 with plain flow matching',
    contestants: plain,
  },
  {
    ...{ name: 'unet', task: 'train', objective: 'meanflow', network: unet, batch: 8, memory: 1600 },
    title: 'MeanFlow, a DDPM++ U-Net of 64 channels at three resolutions on 3 × 32 × 32 images, batch 8',
    contestants: native,
  },
  {
    ...{ name: 'dit_b4', task: 'train', objective: 'meanflow', network: base, batch: 4, memory: 5000 },
    title: 'MeanFlow, DiT-B/4 on latents of 32 × 32 × 4, batch 4',
    contestants: native,
  },
  {
    ...{ name: 'sample_1', task: 'sample', network: imageDit(), batch: 1, memory: 700 },
    title: 'One-step sampling with the network of w2, batch 1',
    contestants: plain,
  },
  {
    ...{ name: 'sample_16', task: 'sample', network: imageDit(), batch: 16, memory: 800 },
    title: 'One-step sampling with the network of w2, batch 16',
    contestants: plain,
  },
];

/** AdamW, the average and ε of the adaptive weight, alike in every program. */
export const training = {
  optimizer: { learningRate: 1e-4, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.01 },
  emaDecay: 0.999,
  weightEpsilon: 1e-3,
} as const;

/** The objective as this project has it. */
export function objectiveConfig(kind: Objective): ObjectiveConfig {
  const weight = { power: 1, epsilon: training.weightEpsilon };
  switch (kind) {
    case 'flow-matching':
      return { kind };
    case 'meanflow':
      return { kind, weight };
    case 'improved-meanflow':
      return { kind, weight, tangent: 'boundary' };
  }
}

/** Train steps in Chromium, of a case above. */
export interface BrowserCase {
  readonly name: string;
  readonly programs: readonly PageProgramName[];
}

export const browserCases: readonly BrowserCase[] = [
  { name: 'w1', programs: pagePrograms },
  // TensorFlow.js has no DiT here, and in WebAssembly one thread.
  { name: 'w2', programs: ['meanflow tfjs:webgpu', 'jax-js webgpu', 'meanflow ort:wasm', 'jax-js wasm'] },
];
