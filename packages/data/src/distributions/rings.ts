/**
 * Four concentric rings of radius 1, 2, 3 and 4, each with a quarter of the mass and Gaussian noise of σ = 0.1 along
 * the radius, after Grathwohl et al., "FFJORD", ICLR 2019. Classes are the rings, from the innermost.
 */
import { SUPPORT_DEVIATIONS } from '../support.js';
import { defineDistribution } from './distribution.js';

const RINGS = 4;
const NOISE = 0.1;

/** E[ρ²]/2 along each axis, where E[ρ²] = (1² + 2² + 3² + 4²)/4 + σ². */
const deviation = Math.sqrt((30 / 4 + NOISE ** 2) / 2);

/** Off the support: farther than 3σ from every ring, which 0.27 % of the exact samples are. */
export const rings = defineDistribution({
  name: 'rings',
  description: 'four concentric rings',
  classCount: RINGS,
  point: (label, { uniform, normal }) => {
    const radius = label + 1 + NOISE * normal[0];
    const angle = 2 * Math.PI * uniform[0];
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  },
  mean: [0, 0],
  deviation: [deviation, deviation],
  support: {
    description: `within ${SUPPORT_DEVIATIONS}σ of the nearest ring`,
    modeCount: RINGS,
    modeOf: ([x, y]) => {
      const radius = Math.hypot(x, y);
      const nearest = Math.min(RINGS, Math.max(1, Math.round(radius)));
      return Math.abs(radius - nearest) <= SUPPORT_DEVIATIONS * NOISE ? nearest - 1 : -1;
    },
  },
});
