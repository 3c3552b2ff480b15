/**
 * Painter: how the samples of one data set become pictures in a page. Points are SVG panels in one frame that the data decides;
 * images are PNG grids. Rows of a table are drawn by their first two columns, a single column not at all.
 */
import { HostArray, type Shape } from '@meanflow/core';
import { frameAround, type Frame } from '../plots/frame.js';
import { imageGridPng, isInk } from '../plots/image-grid.js';
import { cssColour, cssPalette } from '../plots/palette.js';
import { panel, scatterMarks, type Marks } from '../plots/scatter.js';
import { element } from '../plots/svg.js';
import { trajectoryMarks } from '../plots/trajectories.js';
import { countText } from './numbers.js';
import type { DatasetPictures } from './results.js';

/** A picture as HTML, and what must be said of it. */
export interface Picture {
  readonly html: string;
  readonly note: string;
}

/** The pictures of a data set. */
export interface Painter {
  /** What all its panels show. */
  readonly explanation: string;
  data(): string;
  dataNote(): string;
  samples(samples: HostArray, method: string, label: string): Picture;
  trajectory(states: readonly HostArray[], method: string, label: string): Picture;
}

/** Trajectories start from standard normal noise, of which 99.7 % is within this along each axis. */
const NOISE_HALF = 3;

/** Images across a grid. */
export const GRID_ACROSS = 10;

/** The painter of a data set, or undefined where its samples have a single feature. */
export function datasetPainter({ imageShape, columns, data }: DatasetPictures): Painter | undefined {
  if (imageShape !== undefined) return imagePainter(data, imageShape);
  return columns.length < 2 ? undefined : pointPainter(data, columns);
}

function pointPainter(data: HostArray, columns: readonly string[]): Painter {
  const frame = frameAround(data);
  const wide: Frame = { centre: [0, 0], half: Math.max(NOISE_HALF, frame.half) };
  const features = columns.length === 2 ? '' : `The first two of ${columns.length} columns, normalised. `;
  return {
    explanation:
      `${features}All panels show the same window, ` +
      `±${frame.half.toFixed(1)}; trajectories ±${wide.half.toFixed(1)}.`,
    data: () => panel(scatterMarks(data, { frame, colour: cssPalette.data }).svg, 'The data'),
    dataNote: () => `${countText(data.shape[0]!)} rows`,
    samples: (samples, method, label) => {
      const marks = scatterMarks(samples, { frame, colour: cssColour(method) });
      return { html: panel(marks.svg, label), note: outsideNote(marks) };
    },
    trajectory: (states, method, label) => {
      const colours = { colour: cssColour(method), startColour: cssPalette.muted };
      return { html: panel(trajectoryMarks(states, { frame: wide, ...colours }).svg, label), note: '' };
    },
  };
}

function imagePainter(data: HostArray, imageShape: Shape): Painter {
  const grid = (images: HostArray, label: string): string => {
    const png = imageGridPng(images, { imageShape, across: GRID_ACROSS });
    const ink = isInk(images, imageShape) ? { class: 'ink' } : {};
    return element('img', { ...ink, src: dataUrl(png), alt: label });
  };
  return {
    explanation: 'A row for each class.',
    data: () => grid(data, 'The data, ten images of each class'),
    dataNote: () => 'ten of each class',
    samples: (samples, _method, label) => ({ html: grid(samples, label), note: '' }),
    trajectory: (states, _method, label) => ({ html: grid(HostArray.joinRows(states), label), note: '' }),
  };
}

function outsideNote({ outside }: Marks): string {
  return outside === 0 ? '' : `${countText(outside)} outside`;
}

function dataUrl(png: Uint8Array): string {
  return `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
}
