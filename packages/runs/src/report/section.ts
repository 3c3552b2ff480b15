/**
 * A data set's section of the report: the data and the loss curves in the first row of a grid, then a row of panels for each
 * method, its columns the numbers of evaluations and at last the trajectories; below it the table.
 */
import { leading } from '@meanflow/core/validation';
import { objectives } from '@meanflow/models';
import { lossChart } from '../plots/loss-chart.js';
import { cssColour, cssPalette } from '../plots/palette.js';
import { element, escapeText } from '../plots/svg.js';
import { metricText } from './numbers.js';
import { datasetPainter, type Painter } from './painter.js';
import type { DatasetPictures, DatasetResults, MethodPictures, MethodResults } from './results.js';
import { metricsTable } from './table.js';

/** The section as HTML. */
export function datasetSection(results: DatasetResults, pictures: DatasetPictures): string {
  const painter = datasetPainter(pictures);
  const evaluations = [...new Set(results.methods.flatMap(({ sampling }) => sampling.map(({ nfe }) => nfe)))];
  evaluations.sort((a, b) => a - b);
  const hasTrajectories = pictures.methods.some(({ trajectory }) => trajectory !== undefined);
  const columns = evaluations.length + (hasTrajectories ? 1 : 0);
  const rows = painter === undefined ? [] : results.methods.map((method) => methodRow(method, painter));
  const matrix = [dataRow(), ...rows].join('');
  return (
    `<section id="${anchor(results.name)}"><h2>${escapeText(results.name)}</h2>` +
    `<p class="spec">${[results.description, ...results.facts].map(escapeText).join(' · ')}</p>` +
    results.notes.map((note) => `<p class="note">${escapeText(note)}</p>`).join('') +
    `<div class="matrix" style="--columns: ${columns}">${matrix}</div>${fewestEvaluations()}${metricsTable(results)}` +
    `<details><summary>Configuration</summary><pre>${escapeText(JSON.stringify(results.configs, null, 2))}</pre></details></section>`
  );

  function dataRow(): string {
    const data = painter === undefined ? '' : figure(2, painter.data(), 'data', painter.dataNote());
    const place = painter === undefined ? 2 : 3;
    const losses = lossFigure(results.methods, place, columns - place + 2);
    return `<div class="method"><h3>Data</h3><p>${escapeText(painter?.explanation ?? '')}</p></div>${data}${losses}`;
  }

  function methodRow(method: MethodResults, paint: Painter): string {
    const drawn = pictures.methods.find((candidate) => candidate.method === method.method);
    const panels = (drawn?.samples ?? []).map(({ nfe, samples }) => {
      const picture = paint.samples(samples, method.method, `${method.title} at ${nfe} NFE`);
      return figure(
        2 + evaluations.indexOf(nfe),
        picture.html,
        `${nfe} NFE`,
        caption(method, nfe, picture.note),
      );
    });
    const last = 2 + evaluations.length;
    return (
      `<div class="method"><h3><i class="swatch" style="--of: ${cssColour(method.method)}"></i>${escapeText(method.title)}</h3>` +
      `<p>${escapeText(objectives.find(method.method)?.learns ?? '')}</p></div>${panels.join('')}${drawn ? trajectory(drawn, method, paint, last) : ''}`
    );
  }

  /** Images at the fewest evaluations once more, large enough to be looked at. */
  function fewestEvaluations(): string {
    if (painter === undefined || pictures.imageShape === undefined) return '';
    const [fewest] = evaluations;
    const large = results.methods.flatMap((method) => {
      const drawn = pictures.methods.find((candidate) => candidate.method === method.method);
      const found = drawn?.samples.find(({ nfe }) => nfe === fewest);
      if (found === undefined) return [];
      const picture = painter.samples(
        found.samples,
        method.method,
        `${method.title} at ${fewest} NFE, enlarged`,
      );
      return [plainFigure(picture.html, method.title, `${fewest} NFE`)];
    });
    if (large.length === 0) return '';
    return `<div class="large" style="--columns: ${large.length}">${large.join('')}</div>`;
  }

  /** The first metric stands below each panel. */
  function caption({ sampling }: MethodResults, nfe: number, note: string): string {
    const [column] = leading(results.metrics, 1);
    const value = sampling.find((row) => row.nfe === nfe)?.metrics[column?.name ?? ''];
    const text = value === undefined ? '' : `${column.title} ${metricText(value.median, column)}`;
    return [text, note].filter((part) => part !== '').join(', ');
  }
}

/** The name of a section in links. */
export function anchor(dataset: string): string {
  return `data-${dataset.replace(/[^A-Za-z0-9]+/g, '-')}`;
}

function trajectory(
  { trajectory: path, method }: MethodPictures,
  { title }: MethodResults,
  paint: Painter,
  place: number,
): string {
  if (path === undefined) return '';
  const picture = paint.trajectory(path.states, method, `Trajectories of ${title} at ${path.nfe} NFE`);
  return figure(place, picture.html, 'noise to data', `${path.nfe} NFE`);
}

function figure(place: number, content: string, title: string, note: string): string {
  return plainFigure(content, title, note, ` style="--place: ${place}"`);
}

function plainFigure(content: string, title: string, note: string, attributes = ''): string {
  return (
    `<figure class="images"${attributes}>${content}` +
    `<figcaption><b>${escapeText(title)}</b><span>${escapeText(note)}</span></figcaption></figure>`
  );
}

function lossFigure(methods: readonly MethodResults[], place: number, span: number): string {
  const curves = methods.map(({ title, method, losses }) => ({
    label: title,
    colour: cssColour(method),
    points: losses,
  }));
  const chart = lossChart(curves, { palette: cssPalette, width: 200 * span, height: 200 });
  const entries = methods.map(({ title, method }) =>
    element('li', {}, `<i class="swatch" style="--of: ${cssColour(method)}"></i>${escapeText(title)}`),
  );
  return (
    `<figure class="training" style="--place: ${place}; --span: ${span}"><div class="losses">${chart}</div>` +
    `<figcaption><b>training: squared error by step</b><span><ul class="legend">${entries.join('')}</ul></span></figcaption></figure>`
  );
}
