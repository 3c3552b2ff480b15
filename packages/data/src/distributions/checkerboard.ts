/**
 * The dark squares of a 4×4 checkerboard, uniformly filled: the standard test of sharp edges. Squares of side 1 on
 * [−2, 2]², as in Grathwohl et al., "FFJORD", ICLR 2019; after normalisation side 0.866 on [−√3, √3]². Classes are the
 * eight squares, column by column from the left and from below.
 */
import { defineDistribution } from './distribution.js';

/** x is uniform on [−2, 2], as each column holds two squares: Var x = 4²/12; and the same along y. */
const deviation = Math.sqrt(16 / 12);

/** On the support: inside a dark square, edges included; exact samples are never off it. */
export const checkerboard = defineDistribution({
  name: 'checkerboard',
  description: 'the dark squares of a 4×4 checkerboard',
  classCount: 8,
  point: (label, { uniform }) => {
    const column = label >> 1;
    const row = 2 * (label & 1) + (column & 1);
    return [column - 2 + uniform[0], row - 2 + uniform[1]];
  },
  mean: [0, 0],
  deviation: [deviation, deviation],
  support: {
    description: 'inside a dark square',
    modeCount: 8,
    modeOf: ([x, y]) => {
      // float32 rounds an edge's coordinate by up to 2^-23; a sample on the edge belongs to its square.
      const [column, row] = [cellOf(x), cellOf(y)];
      for (const c of column) {
        for (const r of row) {
          if (c >= 0 && c < 4 && r >= 0 && r < 4 && (c + r) % 2 === 0) return 2 * c + (r >> 1);
        }
      }
      return -1;
    },
  },
});

const EDGE = 2 ** -20;

/** The column or row that holds a coordinate, or the two that share the edge it lies on. */
function cellOf(coordinate: number): number[] {
  const low = Math.floor(coordinate + 2 - EDGE);
  const high = Math.floor(coordinate + 2 + EDGE);
  return low === high ? [low] : [low, high];
}
