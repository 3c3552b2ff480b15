/**
 * The table of a data set: one row for each method and number of evaluations, one column for each metric, and the noise floor in a
 * row of its own. The best value of a column is tinted, the best at the fewest evaluations is outlined.
 */
import { cssColour } from '../plots/palette.js';
import { element, escapeText } from '../plots/svg.js';
import { bestIndex, metricText } from './numbers.js';
import type { DatasetResults, MetricColumn, MetricRow } from './results.js';

/** A row of the table, with what it is. */
interface Row {
  readonly method: string;
  readonly title: string;
  readonly nfe: number;
  readonly solver: string;
  readonly metrics: MetricRow;
}

/** The table as HTML, with its key. */
export function metricsTable(results: DatasetResults): string {
  const rows: Row[] = results.methods.flatMap(({ method, title, sampling }) =>
    sampling.map(({ nfe, solver, metrics }) => ({ method, title, nfe, solver, metrics })),
  );
  const fewest = Math.min(...rows.map(({ nfe }) => nfe));
  const best = new Map(results.metrics.map((column) => [column.name, bestRows(rows, column, fewest)]));
  const bodies = results.methods.map(({ method }) =>
    element(
      'tbody',
      {},
      rows
        .map((row, index) => ({ row, index }))
        .filter(({ row }) => row.method === method)
        .map(({ row, index }, place) => {
          const name = place === 0 ? methodName(row) : '';
          const cells = results.metrics.map((column) => {
            const { overall, fewSteps } = best.get(column.name)!;
            const marks = [overall.has(index) ? 'best' : '', fewSteps.has(index) ? 'one-step' : ''];
            return metricCell(row.metrics, column, marks.filter((mark) => mark !== '').join(' '));
          });
          return `<tr><th scope="row">${name}</th><td>${row.nfe}</td>${cells.join('')}</tr>`;
        })
        .join(''),
    ),
  );
  const floorCells = results.metrics.map((column) => metricCell(results.floor, column, ''));
  const floor = `<tbody><tr class="floor"><th scope="row">noise floor: data against data</th><td></td>${floorCells.join('')}</tr></tbody>`;
  return (
    `<div class="scroll"><table><thead><tr><th scope="col">method</th><th scope="col">NFE</th>` +
    `${results.metrics.map(columnHead).join('')}</tr></thead>${bodies.join('')}${floor}</table></div>` +
    `<p class="key"><mark>best of the column</mark> &ensp;<mark class="outline">best at ${fewest} NFE</mark></p>`
  );
}

/** The rows whose median reads like the best one of all, and of those with the fewest evaluations. */
function bestRows(
  rows: readonly Row[],
  column: MetricColumn,
  fewest: number,
): { overall: ReadonlySet<number>; fewSteps: ReadonlySet<number> } {
  const values = rows.map(({ metrics }) => metrics[column.name]?.median);
  return {
    overall: likeBest(values, column),
    fewSteps: likeBest(
      values.map((value, i) => (rows[i]!.nfe === fewest ? value : undefined)),
      column,
    ),
  };
}

/** Places of the best value and of those that are written alike; none where all are. */
function likeBest(values: readonly (number | undefined)[], column: MetricColumn): ReadonlySet<number> {
  const best = values[bestIndex(values, column.better)];
  const found = new Set<number>();
  if (best === undefined) return found;
  const text = metricText(best, column);
  values.forEach((value, i) => {
    if (value !== undefined && metricText(value, column) === text) found.add(i);
  });
  return found.size === values.filter((value) => value !== undefined).length ? new Set() : found;
}

function columnHead(column: MetricColumn): string {
  const wanted = { lower: '↓ lower is better', higher: '↑ higher is better', one: 'nearest to 1 is best' };
  return (
    `<th scope="col" title="${escapeText(column.description)}">${escapeText(column.title)}` +
    `<small>${wanted[column.better]}</small></th>`
  );
}

function methodName({ method, title }: Row): string {
  return `<span><i class="swatch" style="--of: ${cssColour(method)}"></i>${escapeText(title)}</span>`;
}

/** A median, and the range over seeds where there are several. */
function metricCell(row: MetricRow, column: MetricColumn, classes: string): string {
  const entry = row[column.name];
  if (entry === undefined) return '<td>–</td>';
  const text = (value: number): string => metricText(value, column);
  const [low, high] = [Math.min(...entry.values), Math.max(...entry.values)];
  const range = entry.values.length > 1 ? `<small>${text(low)} … ${text(high)}</small>` : '';
  return `<td${classes === '' ? '' : ` class="${classes}"`}>${text(entry.median)}${range}</td>`;
}
