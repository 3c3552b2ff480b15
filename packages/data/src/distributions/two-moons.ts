/**
 * Two interleaved half circles with Gaussian noise, as in scikit-learn's `make_moons` (Pedregosa et al., JMLR 2011):
 * the upper arc (cos θ, sin θ), the lower one (1 − cos θ, 1/2 − sin θ), θ uniform on [0, π], noise σ = 0.1. Classes
 * are the upper (0) and the lower (1) moon.
 */
import { SUPPORT_DEVIATIONS } from '../support.js';
import { defineDistribution, type Point } from './distribution.js';

const NOISE = 0.1;

/** E[sin θ] of an angle uniform on [0, π]. */
const meanSine = 2 / Math.PI;

/** The arcs lie about x = 0 and x = 1, and their mean heights are 2/π and 1/2 − 2/π. */
const mean: Point = [1 / 2, 1 / 4];

/** Variance within an arc, plus that of the arcs' means about the common mean, plus the noise. */
const deviation: Point = [
  Math.sqrt(1 / 2 + (1 / 2) ** 2 + NOISE ** 2),
  Math.sqrt(1 / 2 - meanSine ** 2 + (meanSine - 1 / 4) ** 2 + NOISE ** 2),
];

/** Off the support: farther than 3σ from both arcs, which about 0.3 % of the exact samples are. */
export const twoMoons = defineDistribution({
  name: 'two-moons',
  description: 'two interleaved half circles',
  classCount: 2,
  point: (label, { uniform, normal }) => {
    const angle = Math.PI * uniform[0];
    const [x, y] = [Math.cos(angle), Math.sin(angle)];
    const arc: Point = label === 0 ? [x, y] : [1 - x, 1 / 2 - y];
    return [arc[0] + NOISE * normal[0], arc[1] + NOISE * normal[1]];
  },
  mean,
  deviation,
  support: {
    description: `within ${SUPPORT_DEVIATIONS}σ of an arc`,
    modeCount: 2,
    modeOf: ([x, y]) => {
      const upper = distanceToArc(x, y);
      // The lower moon is the upper one turned about (1/2, 1/4).
      const lower = distanceToArc(1 - x, 1 / 2 - y);
      return Math.min(upper, lower) > SUPPORT_DEVIATIONS * NOISE ? -1 : upper <= lower ? 0 : 1;
    },
  },
});

/** Distance to the upper half of the unit circle: to the circle above its ends, to the nearer end below. */
function distanceToArc(x: number, y: number): number {
  return y >= 0 ? Math.abs(Math.hypot(x, y) - 1) : Math.hypot(Math.abs(x) - 1, y);
}
