/**
 * Two Archimedean spirals, one the other turned by half a circle, of one and a half windings, with Gaussian noise: a
 * long thin support that any straight interpolation crosses. The first arm is t·(−cos t, sin t) with t = 3π√U, dense
 * as in Grathwohl et al., "FFJORD", ICLR 2019; noise σ = 0.3. Classes are the two arms.
 */
import { SUPPORT_DEVIATIONS } from '../support.js';
import { defineDistribution, type Point } from './distribution.js';

const END = 3 * Math.PI;
const NOISE = 0.3;

/**
 * t has density 2t/END², so E[t²cos²t] = (2/END²)·∫t³cos²t dt, which for a whole number of half windings is
 * END²/4 + 3/4; with the sine, END²/4 − 3/4. The two arms cancel each other's mean.
 */
const deviation: Point = [
  Math.sqrt(END ** 2 / 4 + 3 / 4 + NOISE ** 2),
  Math.sqrt(END ** 2 / 4 - 3 / 4 + NOISE ** 2),
];

/** Off the support: farther than 3σ from both arms, which about 0.3 % of the exact samples are. */
export const spirals = defineDistribution({
  name: 'spirals',
  description: 'two intertwined spirals',
  classCount: 2,
  point: (label, { uniform, normal }) => {
    const [x, y] = arm(END * Math.sqrt(uniform[0]));
    const side = label === 0 ? 1 : -1;
    return [side * x + NOISE * normal[0], side * y + NOISE * normal[1]];
  },
  mean: [0, 0],
  deviation,
  support: {
    description: `within ${SUPPORT_DEVIATIONS}σ of an arm`,
    modeCount: 2,
    modeOf: ([x, y]) => {
      const first = distanceToArm(x, y);
      const second = distanceToArm(-x, -y);
      return Math.min(first, second) > SUPPORT_DEVIATIONS * NOISE ? -1 : first <= second ? 0 : 1;
    },
  },
});

function arm(t: number): Point {
  return [-t * Math.cos(t), t * Math.sin(t)];
}

/** The first arm as a chain of chords between steps of t, nowhere farther than 0.003σ from it. */
const CHORDS = 400;
const STEP = END / CHORDS;
const vertices: readonly Point[] = Array.from({ length: CHORDS + 1 }, (_, i) => arm(i * STEP));

/**
 * Distance to the nearest of the arm's chords that can be within 3σ; infinite where none can. The arm at t is at
 * distance t from the origin, so it comes no closer to a point than t differs from the point's own distance.
 */
function distanceToArm(x: number, y: number): number {
  const radius = Math.hypot(x, y);
  const reach = SUPPORT_DEVIATIONS * NOISE;
  const first = Math.max(0, Math.floor((radius - reach) / STEP));
  const last = Math.min(CHORDS, Math.ceil((radius + reach) / STEP));
  let nearest = Infinity;
  for (let i = first; i < last; i++) {
    const from = vertices[i]!;
    const to = vertices[i + 1]!;
    const alongX = to[0] - from[0];
    const alongY = to[1] - from[1];
    const projection =
      ((x - from[0]) * alongX + (y - from[1]) * alongY) / (alongX * alongX + alongY * alongY);
    const clamped = projection < 0 ? 0 : projection > 1 ? 1 : projection;
    const offX = x - from[0] - clamped * alongX;
    const offY = y - from[1] - clamped * alongY;
    const squared = offX * offX + offY * offY;
    if (squared < nearest) nearest = squared;
  }
  return Math.sqrt(nearest);
}
