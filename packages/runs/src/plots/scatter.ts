/**
 * Scatter plots as SVG: one path per density level, each point a zero-length stroke with round ends, which is the shortest way
 * to write a dot. A panel of 2,000 points takes about 17 kB.
 */
import type { HostArray } from '@meanflow/core';
import { densityLevels } from './density.js';
import { PANEL_SIDE, place, type Columns, type Frame } from './frame.js';
import { element } from './svg.js';

export interface ScatterOptions {
  readonly frame: Frame;
  /** CSS colour of the dots. */
  readonly colour: string;
  /** Which features are drawn; the first two by default. */
  readonly columns?: Columns;
}

/** Marks in panel units, and how many points fell outside the frame. */
export interface Marks {
  readonly svg: string;
  readonly outside: number;
}

/** Radius of a dot in panel units: smaller where there are more of them. */
export function dotRadius(points: number): number {
  return Math.max(4, Math.min(14, 280 / Math.sqrt(points)));
}

/**
 * The dots of a scatter plot, to be put in a panel.
 *
 * @param points `[rows, features]`
 */
export function scatterMarks(points: HostArray, { frame, colour, columns }: ScatterOptions): Marks {
  const { xy, outside } = place(points, frame, columns);
  const radius = dotRadius(points.shape[0]!);
  const paths = densityLevels(xy, radius).map(({ opacity, xy: dots }) =>
    element('path', { d: dotPath(dots), 'stroke-opacity': opacity }),
  );
  const svg = element(
    'g',
    { stroke: colour, 'stroke-width': (2 * radius).toFixed(1), 'stroke-linecap': 'round', fill: 'none' },
    paths.join(''),
  );
  return { svg, outside };
}

/** A panel with marks in it: a square SVG that takes the size it is given. */
export function panel(marks: string, label: string): string {
  const box = `0 0 ${PANEL_SIDE} ${PANEL_SIDE}`;
  return element('svg', { class: 'panel', viewBox: box, role: 'img', 'aria-label': label }, marks);
}

/** Moves from dot to dot, relative as far as that is shorter, drawing nothing but round ends. */
function dotPath(xy: Int32Array): string {
  // Neighbours on the page next to each other in the path: shorter differences, and better compression.
  const order = Array.from({ length: xy.length / 2 }, (_, i) => 2 * i).sort(
    (a, b) => Math.floor(xy[a + 1]! / 25) - Math.floor(xy[b + 1]! / 25) || xy[a]! - xy[b]!,
  );
  let [x, y] = [0, 0];
  let path = '';
  for (const i of order) {
    path += `m${xy[i]! - x}${signed(xy[i + 1]! - y)}h0`;
    [x, y] = [xy[i]!, xy[i + 1]!];
  }
  return path;
}

/** A number after another one: a minus sign separates as well as a space does. */
function signed(value: number): string {
  return value < 0 ? String(value) : ` ${value}`;
}
