/** The table of metrics for the terminal: a row for each method and number of evaluations, the noise floor, where there is one, in a row of its own. */
import type { MetricColumn } from '@meanflow/runs/node';
import { metricText } from '@meanflow/runs/command';
import { textTable, type TableRow } from './table.js';

/** A row of the table. */
export interface ScoreRow {
  readonly name: string;
  /** Not a number for samples that were not drawn here. */
  readonly nfe: number;
  /** Guidance scale ω, where it was varied. */
  readonly guidance?: number | undefined;
  readonly scores: Readonly<Record<string, number>>;
}

/** The table as text. A name is written in the first of its rows only. */
export function scoresTable(
  metrics: readonly Pick<MetricColumn, 'name' | 'title' | 'unit' | 'better'>[],
  rows: readonly ScoreRow[],
  floor?: Readonly<Record<string, number>>,
): string {
  const cells = (scores: Readonly<Record<string, number>>): string[] =>
    metrics.map((metric) =>
      Object.hasOwn(scores, metric.name) ? metricText(scores[metric.name]!, metric) : '–',
    );
  const arrows = { lower: '↓', higher: '↑', one: '→1' };
  const isGuided = rows.some(({ guidance }) => guidance !== undefined);
  const guided = (text: string): string[] => (isGuided ? [text] : []);
  const head = [
    '',
    'NFE',
    ...guided('ω'),
    ...metrics.map(({ title, better }) => `${title} ${arrows[better]}`),
  ];
  const body: TableRow[] = rows.map(({ name, nfe, guidance, scores }, i) => [
    i > 0 && rows[i - 1]!.name === name ? '' : name,
    Number.isNaN(nfe) ? '' : String(Number(nfe.toFixed(1))),
    ...guided(guidance === undefined ? '' : String(guidance)),
    ...cells(scores),
  ]);
  const last: TableRow[] =
    floor === undefined ? [] : ['rule', ['noise floor', '', ...guided(''), ...cells(floor)]];
  return textTable([head, 'rule', ...body, ...last]);
}
