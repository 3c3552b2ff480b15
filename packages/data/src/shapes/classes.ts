/**
 * The classes of the coloured shapes. Each is a signed distance: how far a point lies outside of the shape (negative:
 * inside), for a shape that about fills the unit circle around the origin. Only +, −, ×, ÷ and √ are used, which IEEE 754
 * rounds exactly, so that the same key draws the same bits on every platform. Outside of corners it is the distance to
 * the nearer edge's line, which is all that half a pixel of anti-aliasing needs.
 */

/** A class of shapes. */
export interface ShapeClass {
  readonly name: string;
  /** Distance from the point (x, y) to the shape's edge, in radii; negative inside. */
  readonly distance: (x: number, y: number) => number;
}

const { abs, max, min, sqrt } = Math;

/** No shape reaches farther from the origin. */
export const FARTHEST = 1.06;

/** The slope of an equilateral triangle's sides. */
const HALF_ROOT3 = 0.8660254037844386;
const ROOT5 = 2.23606797749979;
/** Half of the angle between two arms of a star, and the whole. */
const [COS36, SIN36] = [0.8090169943749475, 0.5877852522924731];
const [COS72, SIN72] = [0.30901699437494745, 0.9510565162951535];

/** Distance of a star's inner corners from its centre. */
const STAR_INNER = 0.45;

/** The outward unit normal of the edge from a star's tip (1, 0) to the inner corner 36° further on, and its offset. */
const starEdge = (() => {
  const [dx, dy] = [STAR_INNER * COS36 - 1, STAR_INNER * SIN36];
  const length = sqrt(dx * dx + dy * dy);
  return { x: dy / length, y: -dx / length, offset: dy / length };
})();

/** Folds the plane into the half of one arm of five, and measures to that half's one edge. */
function starDistance(x: number, y: number): number {
  let [u, v] = [x, abs(y)];
  // Over the line at 108°, then over the one at 36°.
  const beyond108 = max(0, -u * SIN72 - v * COS72);
  u += 2 * beyond108 * SIN72;
  v += 2 * beyond108 * COS72;
  const beyond36 = max(0, v * COS36 - u * SIN36);
  u += 2 * beyond36 * SIN36;
  v -= 2 * beyond36 * COS36;
  return u * starEdge.x + abs(v) * starEdge.y - starEdge.offset;
}

/** In the order of their labels. */
export const shapeClasses: readonly ShapeClass[] = [
  { name: 'circle', distance: (x, y) => sqrt(x * x + y * y) - 0.88 },
  { name: 'square', distance: (x, y) => max(abs(x), abs(y)) - 0.74 },
  { name: 'triangle', distance: (x, y) => max(-y, HALF_ROOT3 * abs(x) + 0.5 * y) - 0.52 },
  { name: 'ring', distance: (x, y) => abs(sqrt(x * x + y * y) - 0.74) - 0.22 },
  {
    name: 'cross',
    distance: (x, y) => min(max(abs(x) - 0.96, abs(y) - 0.27), max(abs(x) - 0.27, abs(y) - 0.96)),
  },
  { name: 'star', distance: starDistance },
  { name: 'diamond', distance: (x, y) => (abs(x) + 2 * abs(y) - 1) / ROOT5 },
  { name: 'bars', distance: (x, y) => max(abs(x) - 0.76, abs(abs(y) - 0.5) - 0.22) },
  {
    name: 'crescent',
    distance: (x, y) => max(sqrt(x * x + y * y) - 0.94, 0.74 - sqrt((x - 0.45) * (x - 0.45) + y * y)),
  },
  {
    name: 'dots',
    distance: (x, y) => {
      const [u, v] = [abs(x) - 0.52, abs(y) - 0.52];
      return sqrt(u * u + v * v) - 0.32;
    },
  },
];
