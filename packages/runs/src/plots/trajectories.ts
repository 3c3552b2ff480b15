/**
 * Trajectories as SVG: the way of samples from noise (t = 1, small grey dots) to data (t = 0, coloured dots), one thin line
 * each. Flow matching's many small steps show as curves, MeanFlow's few steps as straight jumps.
 */
import { ArgumentError, type HostArray } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { PANEL_SIDE, type Columns, type Frame } from './frame.js';
import type { Marks } from './scatter.js';
import { element } from './svg.js';

export interface TrajectoryOptions {
  readonly frame: Frame;
  /** CSS colours of lines and end points, and of starting points. */
  readonly colour: string;
  readonly startColour: string;
  readonly columns?: Columns;
  /** How many of the samples are drawn. 120 by default. */
  readonly count?: number;
}

/**
 * The lines of a trajectory plot, to be put in a panel.
 *
 * @param states z at each time, from noise to data, `[rows, features]` each
 */
export function trajectoryMarks(states: readonly HostArray[], options: TrajectoryOptions): Marks {
  const { frame, colour, startColour, columns = [0, 1], count = 120 } = options;
  if (states.length < 2) throw new ArgumentError(`A trajectory has at least 2 states, got ${states.length}.`);
  const rows = Math.min(count, states[0]!.shape[0]!);
  const at = (state: HostArray, row: number): readonly [number, number] => {
    const [x, y] = leading(
      columns.map(
        (column, axis) => (state.data[row * state.shape[1]! + column]! - frame.centre[axis]!) / frame.half,
      ),
      2,
    );
    return [Math.round((x + 1) * (PANEL_SIDE / 2)), Math.round((1 - y) * (PANEL_SIDE / 2))];
  };
  const isInside = ([x, y]: readonly [number, number]): boolean =>
    x >= 0 && x <= PANEL_SIDE && y >= 0 && y <= PANEL_SIDE;

  let lines = '';
  let starts = '';
  let ends = '';
  let outside = 0;
  for (let row = 0; row < rows; row++) {
    const points = states.map((state) => at(state, row));
    if (!isInside(points[0]!) || !isInside(points[points.length - 1]!)) {
      outside += 1;
      continue;
    }
    lines += polyline(points);
    starts += `M${points[0]!.join(' ')}h0`;
    ends += `M${points[points.length - 1]!.join(' ')}h0`;
  }
  const dots = { fill: 'none', 'stroke-linecap': 'round' };
  const svg = [
    element('path', { d: lines, fill: 'none', stroke: colour, 'stroke-width': 4, 'stroke-opacity': 0.4 }),
    element('path', { ...dots, d: starts, stroke: startColour, 'stroke-width': 13, 'stroke-opacity': 0.6 }),
    element('path', { ...dots, d: ends, stroke: colour, 'stroke-width': 18 }),
  ].join('');
  return { svg, outside };
}

function polyline(points: readonly (readonly [number, number])[]): string {
  let [x, y] = points[0]!;
  let path = `M${x} ${y}`;
  for (const [nextX, nextY] of points.slice(1)) {
    if (nextX === x && nextY === y) continue;
    path += `l${nextX - x} ${nextY - y}`;
    [x, y] = [nextX, nextY];
  }
  return path;
}
