/** Scatter plots as PNG: panels of points side by side on one canvas, in the same ink as the SVG ones, without text. */
import type { HostArray } from '@meanflow/core';
import { densityLevels } from './density.js';
import { PANEL_SIDE, place, type Columns, type Frame } from './frame.js';
import { lightPalette, rgb } from './palette.js';
import { Raster } from './raster.js';
import { dotRadius } from './scatter.js';

/** One panel: points and what they are. */
export interface ScatterPanel {
  /** `[rows, features]`. */
  readonly points: HostArray;
  /** `#rrggbb` */
  readonly colour: string;
}

export interface ScatterPngOptions {
  readonly frame: Frame;
  readonly columns?: Columns;
  /** Side of a panel in pixels. 320 by default. */
  readonly side?: number;
}

const GAP = 12;

/**
 * A PNG of scatter plots.
 *
 * @param rows panels row by row; undefined leaves a place empty
 */
export function scatterPng(
  rows: readonly (readonly (ScatterPanel | undefined)[])[],
  { frame, columns, side = 320 }: ScatterPngOptions,
): Uint8Array {
  const across = Math.max(...rows.map((row) => row.length));
  const pitch = side + GAP;
  const canvas = new Raster(across * pitch + GAP, rows.length * pitch + GAP, rgb(lightPalette.surface));
  rows.forEach((row, y) =>
    row.forEach((entry, x) => {
      if (entry !== undefined) drawPanel(canvas, entry, GAP + x * pitch, GAP + y * pitch, side);
    }),
  );
  return canvas.png();

  function drawPanel(on: Raster, entry: ScatterPanel, left: number, top: number, size: number): void {
    const rule = rgb(lightPalette.rule);
    on.rectangle(left, top, size, size, rule);
    on.rectangle(left + 1, top + 1, size - 2, size - 2, rgb(lightPalette.surface));
    const scale = size / PANEL_SIDE;
    const radius = dotRadius(entry.points.shape[0]!);
    for (const { opacity, xy } of densityLevels(place(entry.points, frame, columns).xy, radius)) {
      for (let i = 0; i < xy.length; i += 2) {
        on.dot(left + xy[i]! * scale, top + xy[i + 1]! * scale, radius * scale, rgb(entry.colour), opacity);
      }
    }
  }
}
