/**
 * Random masks for inpainting: 1 where a pixel is known and 0 where it is hidden, under a rectangle or under strokes of a
 * brush. One for each row, all of them from a key.
 */
import { type RandomKey } from '@meanflow/core';

/** What hides pixels. */
export type MaskKind = 'rectangle' | 'strokes';

export const maskKinds = ['rectangle', 'strokes'] as const satisfies readonly MaskKind[];

/** Sides of a hidden rectangle, in shares of the image's. */
const [LEAST_SIDE, MOST_SIDE] = [0.4, 0.8];
/** Strokes of an image, the corners of each, and the brush's width as a share of the image's lesser side. */
const [STROKES, CORNERS, BRUSH] = [2, 4, 0.2];

/** float32 `[rows, height, width]`. */
export function drawMasks(
  key: RandomKey,
  rows: number,
  height: number,
  width: number,
  kind: MaskKind,
): Float32Array {
  return { rectangle: rectangles, strokes }[kind](key, rows, height, width);
}

function rectangles(key: RandomKey, rows: number, height: number, width: number): Float32Array {
  const draws = key.fold('rectangle').uniform([rows, 4]).data;
  const known = new Float32Array(rows * height * width).fill(1);
  const interval = (side: number, length: number, place: number): [number, number] => {
    const span = Math.max(1, Math.round(side * (LEAST_SIDE + (MOST_SIDE - LEAST_SIDE) * length)));
    const start = Math.floor(place * (side - span + 1));
    return [start, start + span];
  };
  for (let row = 0; row < rows; row++) {
    const [tall, wide, down, right] = draws.subarray(4 * row, 4 * row + 4);
    const [top, bottom] = interval(height, tall!, down!);
    const [left, end] = interval(width, wide!, right!);
    for (let y = top; y < bottom; y++) {
      const at = (row * height + y) * width;
      known.fill(0, at + left, at + end);
    }
  }
  return known;
}

function strokes(key: RandomKey, rows: number, height: number, width: number): Float32Array {
  const draws = key.fold('strokes').uniform([rows, STROKES, CORNERS, 2]).data;
  const known = new Float32Array(rows * height * width).fill(1);
  const reach = Math.max(0.5, (BRUSH * Math.min(height, width)) / 2);
  for (let i = 0; i < known.length; i++) {
    const row = Math.floor(i / (height * width));
    const [x, y] = [(i % width) + 0.5, (Math.floor(i / width) % height) + 0.5];
    for (let stroke = 0; stroke < STROKES && known[i] === 1; stroke++) {
      const first = 2 * CORNERS * (STROKES * row + stroke);
      const corner = (j: number): [number, number] => [
        width * draws[first + 2 * j]!,
        height * draws[first + 2 * j + 1]!,
      ];
      for (let j = 0; j + 1 < CORNERS; j++) {
        if (distance(x, y, corner(j), corner(j + 1)) <= reach) known[i] = 0;
      }
    }
  }
  return known;
}

/** Of a point from the line between two others. */
function distance(x: number, y: number, [x0, y0]: [number, number], [x1, y1]: [number, number]): number {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const along = Math.min(
    1,
    Math.max(0, ((x - x0) * dx + (y - y0) * dy) / Math.max(1e-12, dx * dx + dy * dy)),
  );
  return Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
}
