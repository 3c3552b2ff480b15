/**
 * A pinwheel: five Gaussian blades, each bent by an angle that grows with the radius (Johnson et al., "Composing
 * graphical models with neural networks for structured representations and fast inference", NeurIPS 2016). A blade's
 * point is (1 + 0.3·n₁, 0.1·n₂), turned by 2πk/5 + 0.25·exp(1 + 0.3·n₁). Classes are the blades. The bend leaves no
 * edge that could be named exactly, so the support is not known.
 */
import { defineDistribution } from './distribution.js';

const BLADES = 5;
const RADIAL = 0.3;
const TANGENTIAL = 0.1;
const RATE = 0.25;

/**
 * Turning keeps the length, and five-fold symmetry makes the mean zero and the covariance isotropic, so the variance
 * along each axis is half the mean squared length (1 + 0.3² + 0.1²)/2.
 */
const deviation = Math.sqrt((1 + RADIAL ** 2 + TANGENTIAL ** 2) / 2);

export const pinwheel = defineDistribution({
  name: 'pinwheel',
  description: 'five bent blades about a centre',
  classCount: BLADES,
  point: (label, { normal }) => {
    const [along, across] = [1 + RADIAL * normal[0], TANGENTIAL * normal[1]];
    const angle = (2 * Math.PI * label) / BLADES + RATE * Math.exp(along);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    return [along * cos - across * sin, along * sin + across * cos];
  },
  mean: [0, 0],
  deviation: [deviation, deviation],
});
