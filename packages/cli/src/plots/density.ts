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

/** Side of the cells in which neighbours are counted, in panel units. */
const CELL = 20;

/**
 * Sorts placed points by how dense their surroundings are.
 *
 * @param xy `[2 · points]` in panel units
 * @param radius of a dot, in panel units
 */
export function densityLevels(xy: Int32Array, radius: number): DensityLevel[] {
  const cells = Math.ceil((PANEL_SIDE + 1) / CELL);
  const counts = new Int32Array(cells * cells);
  const cellOf = (value: number): number => Math.floor(value / CELL);
  for (let i = 0; i < xy.length; i += 2) counts[cellOf(xy[i + 1]) * cells + cellOf(xy[i])] += 1;

  const dotShare = (Math.PI * radius ** 2) / (3 * CELL) ** 2;
  const sorted: number[][] = levels.map(() => []);
  for (let i = 0; i < xy.length; i += 2) {
    const overlap = (neighbours(counts, cells, cellOf(xy[i]), cellOf(xy[i + 1])) - 1) * dotShare;
    const level = levels.findLastIndex((candidate) => overlap >= candidate.overlap);
    sorted[level].push(xy[i], xy[i + 1]);
  }
  return levels
    .map(({ opacity }, level) => ({ opacity, xy: Int32Array.from(sorted[level]) }))
    .filter((level) => level.xy.length > 0);
}

/** Points in the 3×3 cells around a cell. */
function neighbours(counts: Int32Array, cells: number, column: number, row: number): number {
  let sum = 0;
  for (let y = Math.max(0, row - 1); y <= Math.min(cells - 1, row + 1); y++) {
    for (let x = Math.max(0, column - 1); x <= Math.min(cells - 1, column + 1); x++) {
      sum += counts[y * cells + x];
    }
  }
  return sum;
}
