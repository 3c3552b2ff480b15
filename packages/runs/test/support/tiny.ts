/** A run that is over in a moment. */
import type { RunSettings } from '../../src/node.js';

export const tiny: RunSettings = {
  data: 'digits',
  method: 'meanflow',
  steps: 6,
  batch: 8,
  network: { kind: 'mlp', width: 8, depth: 1, embedding: { kind: 'fourier', frequencies: 2 } },
  ema: { decays: [0.5] },
  sampling: { ema: 0.5, nfe: [1, 2] },
  evaluation: { samples: 50 },
  logEvery: 2,
  checkpointEvery: 3,
};
