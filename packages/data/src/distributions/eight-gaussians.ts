/**
 * Eight isotropic Gaussians on a circle: the standard test of whether a model keeps modes apart. Radius 5 and
 * variance 0.1, as in the flow-matching literature (Tong et al., "Improving and generalizing flow-based generative
 * models with minibatch optimal transport", TMLR 2024); after normalisation radius 1.409 and σ 0.089. Classes are the
 * eight Gaussians, counted anticlockwise from the positive x axis.
 */
import { SUPPORT_DEVIATIONS } from '../support.js';
import { defineDistribution, type Point } from './distribution.js';

const RADIUS = 5;
const VARIANCE = 0.1;
const noise = Math.sqrt(VARIANCE);

const centres: readonly Point[] = Array.from({ length: 8 }, (_, mode) => {
  const angle = (2 * Math.PI * mode) / 8;
  return [RADIUS * Math.cos(angle), RADIUS * Math.sin(angle)];
});

/** Var x = radius²·E[cos²] + σ² = radius²/2 + σ², and the same along y. */
const deviation = Math.sqrt(RADIUS ** 2 / 2 + VARIANCE);

/** Their centres after normalisation, `[8][2]`. */
export const eightGaussianCentres: readonly Point[] = centres.map(([x, y]) => [x / deviation, y / deviation]);

/** Their standard deviation after normalisation. */
export const eightGaussianDeviation = noise / deviation;

/** Off the support: farther than 3σ from the nearest centre, which exp(−9/2) = 1.1 % of the exact samples are. */
export const eightGaussians = defineDistribution({
  name: '8-gaussians',
  description: 'eight narrow Gaussians on a circle',
  classCount: 8,
  point: (label, { normal }) => [
    centres[label]![0] + noise * normal[0],
    centres[label]![1] + noise * normal[1],
  ],
  mean: [0, 0],
  deviation: [deviation, deviation],
  support: {
    description: `within ${SUPPORT_DEVIATIONS}σ of the nearest centre`,
    modeCount: 8,
    modeOf: ([x, y]) => {
      const nearest = (Math.round(Math.atan2(y, x) / (Math.PI / 4)) + 8) % 8;
      const distance = Math.hypot(x - centres[nearest]![0], y - centres[nearest]![1]);
      return distance <= SUPPORT_DEVIATIONS * noise ? nearest : -1;
    },
  },
});
