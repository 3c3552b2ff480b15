/**
 * Density-aware ink: how strongly a point of a scatter plot is drawn. A lone point must be seen, and a crowd must not melt into
 * one flat blot, so the opacity follows the ink that a point's neighbours put down around it. Points come out sorted into a few
 * levels, faint first: the dense ones are drawn on top, and a vector picture needs one path for each level.
 */
import { PANEL_SIDE } from './frame.js';

/** Points that are drawn alike. */
export interface DensityLevel {
  readonly opacity: number;
  /** `[2 · points]`, as placed. */
  readonly xy: Int32Array;
}

/** The expected number of dots over one another at which the next level begins, and the level's opacity. */
const levels = [
  { overlap: 0, opacity: 0.42 },
  { overlap: 0.25, opacity: 0.52 },
  { overlap: 0.6, opacity: 0.64 },
  { overlap: 1.5, opacity: 0.78 },
  { overlap: 4, opacity: 0.95 },
] as const;

/** Points within this distance are neighbours, in panel units. */
const REACH = 30;

/**
 * Sorts placed points by how dense their surroundings are.
 *
 * @param xy `[2 · points]` in panel units
 * @param radius of a dot, in panel units
 */
export function densityLevels(xy: Int32Array, radius: number): DensityLevel[] {
  const neighbours = countNeighbours(xy);
  const dotShare = radius ** 2 / REACH ** 2;
  const sorted: number[][] = levels.map(() => []);
  for (let i = 0; i < xy.length; i += 2) {
    const overlap = neighbours[i / 2]! * dotShare;
    sorted[levels.findLastIndex((level) => overlap >= level.overlap)]!.push(xy[i]!, xy[i + 1]!);
  }
  return levels
    .map(({ opacity }, level) => ({ opacity, xy: Int32Array.from(sorted[level]!) }))
    .filter((level) => level.xy.length > 0);
}

/** How many other points are within reach of each: those of its own and the adjoining cells are looked at. */
function countNeighbours(xy: Int32Array): Int32Array {
  const cells = Math.ceil((PANEL_SIDE + 1) / REACH);
  const cellOf = (value: number): number => Math.floor(value / REACH);
  const members: number[][] = Array.from({ length: cells * cells }, () => []);
  for (let i = 0; i < xy.length; i += 2) members[cellOf(xy[i + 1]!) * cells + cellOf(xy[i]!)]!.push(i);

  const counts = new Int32Array(xy.length / 2);
  for (let i = 0; i < xy.length; i += 2) {
    const [x, y] = [xy[i]!, xy[i + 1]!];
    for (let row = Math.max(0, cellOf(y) - 1); row <= Math.min(cells - 1, cellOf(y) + 1); row++) {
      for (let column = Math.max(0, cellOf(x) - 1); column <= Math.min(cells - 1, cellOf(x) + 1); column++) {
        for (const j of members[row * cells + column]!) {
          if ((xy[j]! - x) ** 2 + (xy[j + 1]! - y) ** 2 <= REACH ** 2) counts[i / 2]! += 1;
        }
      }
    }
    counts[i / 2]! -= 1;
  }
  return counts;
}
