/**
 * Frame: the square piece of the plane that a scatter plot shows. It is fixed by the data, never by the samples, so that
 * panels beside each other can be compared; what falls outside it is counted and said.
 */
import { ArgumentError, type HostArray } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';

/** A square window, `[centre ± half]` along both axes. */
export interface Frame {
  readonly centre: readonly [x: number, y: number];
  readonly half: number;
}

/** Side of a panel in its own units: coordinates are whole numbers, which keeps a panel of 2,000 points small. */
export const PANEL_SIDE = 1000;

/** Columns of a `[rows, features]` array that are drawn. */
export type Columns = readonly [x: number, y: number];

/**
 * The smallest square around all of `points`, with a margin.
 *
 * @param points `[rows, features]`, at least one row
 * @param margin share of the half side that stays empty on each side
 */
export function frameAround(points: HostArray, columns: Columns = [0, 1], margin = 0.08): Frame {
  const bounds = columns.map((column) => extent(points, column));
  const half = Math.max(...bounds.map(([low, high]) => (high - low) / 2)) * (1 + margin);
  const [x, y] = leading(
    bounds.map(([low, high]) => (low + high) / 2),
    2,
  );
  return { centre: [x, y], half: half > 0 ? half : 1 };
}

/** Points in a panel's units, `[2 · inside]` rounded to whole numbers, and how many points are outside the frame. */
export interface PlacedPoints {
  readonly xy: Int32Array;
  readonly outside: number;
}

/**
 * Places points in a panel: x to the right, y upwards.
 *
 * @param points `[rows, features]`
 */
export function place(points: HostArray, frame: Frame, columns: Columns = [0, 1]): PlacedPoints {
  const width = rowWidth(points);
  const rows = points.shape[0]!;
  const xy = new Int32Array(2 * rows);
  let inside = 0;
  for (let row = 0; row < rows; row++) {
    const [x, y] = leading(
      columns.map((column, axis) => {
        const relative = (points.data[row * width + column]! - frame.centre[axis]!) / frame.half;
        return axis === 0 ? relative : -relative;
      }),
      2,
    );
    // Also false for what is not a number.
    if (!(Math.abs(x) <= 1 && Math.abs(y) <= 1)) continue;
    xy[2 * inside] = toPanel(x);
    xy[2 * inside + 1] = toPanel(y);
    inside += 1;
  }
  return { xy: xy.subarray(0, 2 * inside), outside: rows - inside };
}

/** From −1…1 to 0…PANEL_SIDE. */
function toPanel(relative: number): number {
  return Math.round(((relative + 1) / 2) * PANEL_SIDE);
}

function extent(points: HostArray, column: number): readonly [low: number, high: number] {
  const width = rowWidth(points);
  let [low, high] = [Infinity, -Infinity];
  for (let at = column; at < points.size; at += width) {
    low = Math.min(low, points.data[at]!);
    high = Math.max(high, points.data[at]!);
  }
  return [low, high];
}

function rowWidth(points: HostArray): number {
  if (points.shape.length !== 2 || points.shape[0]! < 1 || points.shape[1]! < 2) {
    throw new ArgumentError(`A scatter plot takes [rows, 2 or more features], got ${points}.`);
  }
  return points.shape[1]!;
}
