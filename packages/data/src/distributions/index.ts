/** The distributions of the plane, by name. */
import { checkerboard } from './checkerboard.js';
import { type Distribution } from './distribution.js';
import { eightGaussians } from './eight-gaussians.js';
import { pinwheel } from './pinwheel.js';
import { rings } from './rings.js';
import { spirals } from './spirals.js';
import { twoMoons } from './two-moons.js';

export { checkerboard } from './checkerboard.js';
export { eightGaussianCentres, eightGaussianDeviation, eightGaussians } from './eight-gaussians.js';
export { pinwheel } from './pinwheel.js';
export { rings } from './rings.js';
export { spirals } from './spirals.js';
export { twoMoons } from './two-moons.js';
export type { Distribution, LabelledSamples, Point } from './distribution.js';

/** All of them, in the order of a list for reading. */
export const distributions: readonly Distribution[] = [
  eightGaussians,
  checkerboard,
  twoMoons,
  spirals,
  pinwheel,
  rings,
];
