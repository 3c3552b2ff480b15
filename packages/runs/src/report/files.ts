/**
 * The files of a comparison beside its report: for each data set a sheet of all panels (SVG, with captions), and PNG pictures
 * without text: all panels of points in one, image grids one by one.
 */
import { frameAround } from '../plots/frame.js';
import { imageGridPng } from '../plots/image-grid.js';
import { lightPalette, methodColour } from '../plots/palette.js';
import { scatterMarks } from '../plots/scatter.js';
import { scatterPng } from '../plots/scatter-raster.js';
import { sheetSvg, type PanelContent, type SheetRow } from '../plots/sheet.js';
import { GRID_ACROSS } from './painter.js';
import type { DatasetPictures, DatasetResults } from './results.js';

/** Files by name. */
export type PictureFiles = Readonly<Record<string, Uint8Array | string>>;

/** The pictures of one data set as files; none where its samples have a single feature. */
export function pictureFiles(results: DatasetResults, pictures: DatasetPictures): PictureFiles {
  const { imageShape, data, methods, columns, dataset } = pictures;
  const name = dataset.replace(/[^A-Za-z0-9.-]+/g, '-');
  if (imageShape === undefined && columns.length < 2) return {};
  const frame = imageShape === undefined ? frameAround(data) : undefined;
  const content = (samples: typeof data, method: string): PanelContent =>
    frame === undefined
      ? { png: imageGridPng(samples, { imageShape: imageShape!, across: GRID_ACROSS }) }
      : { marks: scatterMarks(samples, { frame, colour: methodColour(method) }).svg };

  const evaluations = [...new Set(methods.flatMap(({ samples }) => samples.map(({ nfe }) => nfe)))];
  evaluations.sort((a, b) => a - b);
  const titleOf = (method: string): string =>
    results.methods.find((candidate) => candidate.method === method)?.title ?? method;
  const rows: SheetRow[] = [
    { label: 'Data', panels: [{ caption: 'data', content: content(data, 'data') }] },
    ...methods.map(({ method, samples }) => ({
      label: titleOf(method),
      panels: evaluations.map((nfe) => {
        const found = samples.find((candidate) => candidate.nfe === nfe);
        return found && { caption: `${nfe} NFE`, content: content(found.samples, method) };
      }),
    })),
  ];
  const sheet = { [`${name}.svg`]: sheetSvg(rows) };
  if (frame !== undefined) {
    // Where no run of the first seed succeeded, the data is drawn by itself.
    if (methods.length === 0) {
      return {
        ...sheet,
        [`${name}.png`]: scatterPng([[{ points: data, colour: lightPalette.data }]], { frame }),
      };
    }
    const panels = methods.map(({ method, samples }, row) => [
      row === 0 ? { points: data, colour: lightPalette.data } : undefined,
      ...evaluations.map((nfe) => {
        const found = samples.find((candidate) => candidate.nfe === nfe);
        return found && { points: found.samples, colour: methodColour(method) };
      }),
    ]);
    return { ...sheet, [`${name}.png`]: scatterPng(panels, { frame }) };
  }
  const grid = (samples: typeof data): Uint8Array =>
    imageGridPng(samples, { imageShape: imageShape!, across: GRID_ACROSS, scale: 6 });
  const grids = methods.flatMap(({ method, samples }) =>
    samples.map(({ nfe, samples: images }) => [`${name}-${method}-${nfe}-nfe.png`, grid(images)] as const),
  );
  return { ...sheet, [`${name}-data.png`]: grid(data), ...Object.fromEntries(grids) };
}
